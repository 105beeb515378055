#include "app/library/model_service.h"

#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QThread>

using namespace hearth;

namespace {

const QString kModel = HEARTH_TEST_DATA "/models/stories260K-f32.gguf";
const QString kFolder = HEARTH_TEST_DATA "/models/stories260K-hf";

ModelServiceOptions oneThread() {
  ModelServiceOptions options;
  options.n_threads = 1;
  return options;
}

}  // namespace

class ModelServiceTest : public QObject {
  Q_OBJECT

 private slots:
  void opensAFileAndAFolder() {
    ModelService service(oneThread());
    QSignalSpy ready(&service, &ModelService::ready);
    QSignalSpy loading(&service, &ModelService::loading);
    for (const QString& path : {kModel, kFolder}) {
      service.openModel(path);
      QVERIFY(ready.wait(20000));
      QCOMPARE(loading.back().at(0).toString(), path);
      QVERIFY(ready.back().at(0).value<std::shared_ptr<ChatEngine>>() != nullptr);
      QCOMPARE(ready.back().at(1).value<ModelDescription>().path, path.toStdString());
    }
  }

  void saysWhatIsWrong_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("reason");
    QTest::newRow("missing") << "/no/such/model.gguf" << int(ErrorCode::not_found) << "/no/such/model.gguf";
    QTest::newRow("text") << HEARTH_TEST_DATA "/README.md" << int(ErrorCode::bad_file) << "README.md";
    QTest::newRow("architecture") << HEARTH_TEST_DATA "/models/qwen2-tiny-q8_0.gguf"
                                  << int(ErrorCode::unsupported) << "qwen2";
    QTest::newRow("weight type") << HEARTH_TEST_DATA "/models/stories260K-q4_k_m.gguf"
                                 << int(ErrorCode::unsupported) << "Q5_0";
  }
  void saysWhatIsWrong() {
    QFETCH(QString, path);
    QFETCH(int, code);
    QFETCH(QString, reason);
    ModelService service(oneThread());
    QSignalSpy failed(&service, &ModelService::failed);
    service.openModel(path);
    QVERIFY(failed.wait(20000));
    QCOMPARE(failed.at(0).at(0).toString(), path);
    const auto error = failed.at(0).at(1).value<Error>();
    QVERIFY2(QString::fromStdString(error.message).contains(reason), error.message.c_str());
    QVERIFY2(int(error.code) == code, errorCodeName(error.code));
  }

  void saysThatAFolderHasNoTokenizer() {
    QTemporaryDir folder;
    for (const char* name : {"config.json", "generation_config.json", "model.safetensors"})
      QVERIFY(QFile::copy(kFolder + "/" + name, folder.filePath(name)));
    ModelService service(oneThread());
    QSignalSpy failed(&service, &ModelService::failed);
    service.openModel(folder.path());
    QVERIFY(failed.wait(20000));
    const auto error = failed.at(0).at(1).value<Error>();
    QCOMPARE(error.code, ErrorCode::not_found);
    QVERIFY2(QString::fromStdString(error.message).contains("tokenizer"), error.message.c_str());
    QVERIFY2(QString::fromStdString(error.message).contains(folder.path()), error.message.c_str());
  }

  void answersOnlyTheLatestRequest() {
    QThread thread;
    auto* service = new ModelService(oneThread());
    service->moveToThread(&thread);
    connect(&thread, &QThread::finished, service, &QObject::deleteLater);
    QSignalSpy ready(service, &ModelService::ready);
    QSignalSpy failed(service, &ModelService::failed);
    thread.start();
    // While the first loads, the others come in.
    QMetaObject::invokeMethod(service, [=] {
      service->openModel(kModel);
      QCoreApplication::processEvents();
    });
    for (const QString& path : {QString("/no/such/file"), kModel, kFolder})
      QMetaObject::invokeMethod(service, [=] { service->openModel(path); });
    QTRY_COMPARE_WITH_TIMEOUT(ready.isEmpty(), false, 20000);
    QTest::qWait(300);
    QCOMPARE(ready.size(), 1);
    QCOMPARE(ready.at(0).at(1).value<ModelDescription>().path, kFolder.toStdString());
    QVERIFY(failed.isEmpty());
    thread.quit();
    QVERIFY(thread.wait(20000));
  }

  void closesAModel() {
    ModelService service(oneThread());
    QSignalSpy ready(&service, &ModelService::ready);
    QSignalSpy closed(&service, &ModelService::closed);
    service.openModel(kModel);
    service.closeModel();
    QCOMPARE(closed.size(), 1);
    QTest::qWait(300);
    QVERIFY2(ready.isEmpty(), "the model was closed before it was open");
  }
};

QTEST_GUILESS_MAIN(ModelServiceTest)
#include "model_service_test.moc"
