// The real window on the real services, driven by keyboard. Answers come from a script, and once
// from a real model file.
#include <QAccessible>
#include <QClipboard>
#include <QQmlComponent>
#include <QQmlEngine>
#include <QQuickStyle>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <memory>

#include "app/chat/scripted_engine.h"
#include "app/composition.h"
#include "tests/support/ui_window_driver.h"
#include "ui/app_window.h"
#include "ui/models/error_text.h"

using namespace hearth;

namespace {

QStringList g_warnings;  // Qt's message handler has no context to keep them in

void collectWarnings(QtMsgType type, const QMessageLogContext&, const QString& message) {
  if (type == QtWarningMsg || type == QtCriticalMsg) g_warnings << message;
  if (type == QtFatalMsg) std::abort();
}

std::vector<ScriptedAnswer> script() {
  std::vector<ScriptedAnswer> answers(4);
  answers[0].text = "The first answer.";
  answers[1].text = "The second answer.";
  answers[2].text = "The third answer.";
  answers[3] = {.text = "broken", .error = Error{ErrorCode::device, "the device went away"}};
  for (ScriptedAnswer& answer : answers) answer.first_token_delay_ms = 0;
  return answers;
}

}  // namespace

/// A window on a data folder, as hearth makes it.
struct Running {
  std::unique_ptr<Composition> parts;
  std::unique_ptr<ModelLink> models;
  std::unique_ptr<ServiceChatLink> link;
  std::unique_ptr<AppWindow> app;
  std::unique_ptr<WindowDriver> keys;

  bool start(const QString& data_dir, double tokens_per_s, const QString& model = {}) {
    auto created = Composition::create({.data_dir = data_dir.toStdString(), .models = {}});
    if (!created) return false;
    parts = std::move(*created);
    if (tokens_per_s >= 0)
      models = std::make_unique<FixedModelLink>(
          std::make_shared<ScriptedEngine>(ScriptedEngineOptions{.script = script(), .tokens_per_s = tokens_per_s}),
          parts->chat());
    else
      models = std::make_unique<ServiceModelLink>(parts->models());
    link = std::make_unique<ServiceChatLink>(parts->chat());
    app = std::make_unique<AppWindow>(*link, *models, AppWindowOptions{.model_path = model, .reopen_model = tokens_per_s < 0});
    if (!app->start()) return false;
    keys = std::make_unique<WindowDriver>(app->window());
    return QTest::qWaitForWindowExposed(app->window()) && (app->window()->requestActivate(), true);
  }

  void send(const QString& text) const {
    keys->type(text);
    keys->press(Qt::Key_Return);
  }
  QString text(int row) const {
    const MessageListModel* messages = app->chat().messages();
    return messages->data(messages->index(row), MessageListModel::TextRole).toString();
  }
  QVariant role(int row, int r) const {
    const MessageListModel* messages = app->chat().messages();
    return messages->data(messages->index(row), r);
  }
  int count() const { return app->chat().messages()->count(); }
  bool idle() const { return app->chat().canSend(); }
};

class WindowTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    QQuickStyle::setStyle("Basic");
    qInstallMessageHandler(collectWarnings);
  }
  void init() { g_warnings.clear(); }
  void cleanup() { QVERIFY2(g_warnings.isEmpty(), qPrintable(g_warnings.join('\n'))); }

  void saysWhatToDoWithoutAModel() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), -1));
    QTRY_VERIFY(run.keys->item("openModel"));
    QCOMPARE(run.keys->focusName(), "composer");
    run.send("kept");
    QCOMPARE(run.app->chat().draft(), "kept");
    QCOMPARE(run.count(), 0);
  }

  void sendsStreamsAndShowsStatistics() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 200));
    QTRY_VERIFY(run.idle());
    run.send("hello");
    QTRY_COMPARE(run.text(1), "The first answer.");
    QTRY_VERIFY(run.idle());
    QCOMPARE(run.text(0), "hello");
    QCOMPARE(run.role(1, MessageListModel::StateRole).toString(), "complete");
    QTRY_VERIFY(run.keys->item("statistics"));
    QVERIFY(run.keys->item("statistics")->property("text").toString().contains("tokens/s"));
    QVERIFY(run.app->window()->title().contains("hello"));
    QTRY_COMPARE(run.keys->item("messageText")->property("textFormat").toInt(), 0);  // plain
  }

  void enterNeverSendsWhileComposing() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 0));
    QTRY_VERIFY(run.idle());
    run.keys->compose("ni hao");
    run.keys->press(Qt::Key_Return);
    QTest::qWait(100);
    QCOMPARE(run.count(), 0);
    run.keys->compose("", "你好");
    run.keys->press(Qt::Key_Return, Qt::ShiftModifier);
    run.send("x");
    QTRY_VERIFY(run.count() == 2 && run.idle());
    QCOMPARE(run.text(0), "你好\nx");
    run.keys->press(Qt::Key_Up);
    QTRY_VERIFY(run.keys->focusItem()->inherits("QQuickTextArea") && run.app->chat().editingId() != 0);
    run.keys->compose("ni hao");
    run.keys->press(Qt::Key_Escape);  // the input method's, not the editor's
    run.keys->press(Qt::Key_Return);
    QVERIFY(run.app->chat().editingId() != 0);
  }

  void stopKeepsWhatCame() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 4));
    QTRY_VERIFY(run.idle());
    run.send("go");
    QTRY_VERIFY(run.count() == 2 && !run.text(1).isEmpty());
    run.keys->press(Qt::Key_Escape);
    QTRY_VERIFY(run.idle());
    QCOMPARE(run.role(1, MessageListModel::StateRole).toString(), "stopped");
    QVERIFY(QString("The first answer.").startsWith(run.text(1)));
  }

  void keysBelongToWhatHasTheFocus() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 1));  // slow enough to be answering all along
    QTRY_VERIFY(run.idle());
    run.send("one");
    QTRY_VERIFY(run.app->chat().answering());
    run.keys->press(Qt::Key_Escape);
    QTRY_VERIFY(run.idle());
    run.keys->press(Qt::Key_N, Qt::ControlModifier);
    ConversationListModel* list = run.app->conversations().list();
    QTRY_COMPARE(list->count(), 2);
    run.send("two");
    QTRY_VERIFY(run.app->chat().answering());
    // F2 renames the row that has the focus, not the open conversation.
    run.keys->item("conversationList")->forceActiveFocus();
    run.keys->press(Qt::Key_End);
    run.keys->press(Qt::Key_F2);
    QTRY_COMPARE(run.keys->focusName(), "renameField");
    QCOMPARE(run.keys->focusItem()->property("text").toString(), "one");
    run.keys->press(Qt::Key_Escape);
    QTRY_COMPARE(run.keys->focusName(), "conversationList");
    QVERIFY(run.app->chat().answering());
    run.keys->press(Qt::Key_Escape);
    QTRY_VERIFY(run.idle());
    QCOMPARE(run.role(1, MessageListModel::StateRole).toString(), "stopped");
    // In the editor it cancels the edit.
    run.app->chat().beginEditLast();
    QTRY_VERIFY(run.keys->item("messageEditor"));
    run.app->chat().setDraft("three");
    run.app->chat().send();
    QTRY_VERIFY(run.app->chat().answering());
    run.keys->item("messageEditor")->property("area").value<QQuickItem*>()->forceActiveFocus();
    run.keys->press(Qt::Key_Escape);
    QCOMPARE(run.app->chat().editingId(), 0);
    QVERIFY(run.app->chat().answering());
  }

  void toolTipsShowPlainText() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 0));
    QQmlComponent component(&run.app->engine());
    component.setData("import QtQuick; import Hearth; Item { width: 9; height: 9; property alias tip: hint.item\n"
                      "Hint { id: hint; text: '<img src=x>'; shown: true } }", {});
    const std::unique_ptr<QObject> holder(component.create());
    QVERIFY2(holder != nullptr, qPrintable(component.errorString()));
    const QObject* tip = holder->property("tip").value<QObject*>();
    QVERIFY(tip);
    QCOMPARE(tip->property("contentItem").value<QObject*>()->property("textFormat").toInt(), 0);
  }

  void editsRegeneratesAndSwitchesVersions() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 0));
    QTRY_VERIFY(run.idle());
    run.send("question");
    QTRY_VERIFY(run.count() == 2 && run.idle());
    run.keys->press(Qt::Key_R, Qt::ControlModifier);
    QTRY_COMPARE(run.text(1), "The second answer.");
    QTRY_VERIFY(run.idle());
    QCOMPARE(run.role(1, MessageListModel::VersionsRole).toInt(), 2);
    QTRY_VERIFY(run.keys->item("previousVersion"));
    run.keys->item("previousVersion")->forceActiveFocus();
    run.keys->press(Qt::Key_Space);
    QTRY_COMPARE(run.text(1), "The first answer.");
    run.keys->press(Qt::Key_L, Qt::ControlModifier);
    QTRY_COMPARE(run.keys->focusName(), "composer");
    run.keys->press(Qt::Key_Up);
    QTRY_VERIFY(run.keys->item("messageEditor"));
    QTRY_VERIFY(run.keys->focusItem()->inherits("QQuickTextArea"));
    run.send(" again");
    QTRY_COMPARE(run.text(0), "question again");
    QTRY_COMPARE(run.text(1), "The third answer.");
    QTRY_VERIFY(run.idle());
    QCOMPARE(run.role(0, MessageListModel::VersionRole).toInt(), 2);
    QTRY_COMPARE(run.keys->focusName(), "composer");
  }

  void failureIsShownWithItsReason() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 0));
    QTRY_VERIFY(run.idle());
    for (int i = 0; i < 4; ++i) {
      run.send("q");
      QTRY_VERIFY(run.count() == 2 * (i + 1) && run.idle());
    }
    QCOMPARE(run.role(7, MessageListModel::StateRole).toString(), "failed");
    QCOMPARE(run.role(7, MessageListModel::ErrorRole).toString(), "the device went away");
    QCOMPARE(run.role(7, MessageListModel::ReasonRole).toString(), describeError(ErrorCode::device));
  }

  void renamesDeletesAndTakesBackByKeyboard() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 0));
    QTRY_VERIFY(run.idle());
    run.send("one");
    QTRY_VERIFY(run.count() == 2 && run.idle());
    ConversationListModel* list = run.app->conversations().list();
    run.keys->press(Qt::Key_F2);
    QTRY_COMPARE(run.keys->focusName(), "renameField");
    run.keys->type("Named");
    run.keys->press(Qt::Key_Return);
    QTRY_COMPARE(list->data(list->index(0), ConversationListModel::TitleRole).toString(), "Named");
    QTRY_COMPARE(run.keys->focusName(), "conversationList");
    run.keys->press(Qt::Key_Delete);
    QTRY_COMPARE(list->count(), 0);
    QTRY_VERIFY(run.keys->item("undoDelete"));
    QCOMPARE(run.count(), 0);
    run.keys->item("undoDelete")->forceActiveFocus();
    run.keys->press(Qt::Key_Space);
    QTRY_COMPARE(list->count(), 1);
    QTRY_COMPARE(run.count(), 2);
    QVERIFY(!run.keys->item("undoBar"));
  }

  void renamingOutlivesAReorder() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 0));
    QTRY_VERIFY(run.idle());
    ConversationListModel* list = run.app->conversations().list();
    for (int i = 1; i <= 2; ++i) {
      run.send(QString("conversation %1").arg(i));
      QTRY_VERIFY(run.count() == 2 && run.idle());
      run.keys->press(Qt::Key_N, Qt::ControlModifier);
      QTRY_COMPARE(list->count(), i + 1);
      QTRY_COMPARE(run.count(), 0);
    }
    run.keys->press(Qt::Key_F2);
    QTRY_COMPARE(run.keys->focusName(), "renameField");
    run.keys->type("New na");
    Conversation other = *list->find(list->idAt(2));
    other.updated_at_ms += 60000;  // an answer has ended there
    list->put(other);
    QCOMPARE(list->idAt(0), other.id);
    QTest::qWait(100);
    QCOMPARE(run.keys->focusName(), "renameField");
    run.keys->type("me");
    run.keys->press(Qt::Key_Return);
    QTRY_COMPARE(list->data(list->index(1), ConversationListModel::TitleRole).toString(), "New name");
  }

  void settingsAreStoredWithTheConversation() {
    QTemporaryDir dir;
    {
      Running run;
      QVERIFY(run.start(dir.path(), 0));
      QTRY_VERIFY(run.idle());
      run.send("one");
      QTRY_VERIFY(run.count() == 2 && run.idle());
      run.keys->press(Qt::Key_Comma, Qt::ControlModifier);
      QTRY_VERIFY(run.keys->item("temperatureField"));
      run.keys->item("temperatureField")->forceActiveFocus();
      run.keys->press(Qt::Key_A, Qt::ControlModifier);
      run.keys->type("0.25");
      run.keys->press(Qt::Key_Return);
      QCOMPARE(run.app->settings().temperature(), double(0.25f));
      // What is typed and not yet confirmed belongs to the conversation it was typed for.
      run.keys->press(Qt::Key_N, Qt::ControlModifier);
      QTRY_COMPARE(run.app->conversations().list()->count(), 2);
      QTRY_COMPARE(run.count(), 0);
      run.app->chat().open(run.app->conversations().list()->idAt(1));
      QTRY_COMPARE(run.count(), 2);
      run.keys->item("temperatureField")->forceActiveFocus();
      run.keys->press(Qt::Key_A, Qt::ControlModifier);
      run.keys->type("0.75");
      run.keys->item("stopTexts")->property("area").value<QQuickItem*>()->setProperty("text", "End\\");
      QCOMPARE(run.app->settings().stopTexts(), "End\\");
      run.keys->press(Qt::Key_PageUp, Qt::ControlModifier);
      QTRY_COMPARE(run.count(), 0);
      QCOMPARE(run.app->settings().temperature(), double(0.25f));
      QCOMPARE(run.app->settings().stopTexts(), "");
      run.keys->press(Qt::Key_PageDown, Qt::ControlModifier);
      QTRY_COMPARE(run.count(), 2);
      QCOMPARE(run.app->settings().temperature(), double(0.75f));
      QCOMPARE(run.app->settings().stopTexts(), "End\\\\");
    }
    Running run;
    QVERIFY(run.start(dir.path(), 0));
    QTRY_COMPARE(run.count(), 2);  // the last conversation is open again
    QTRY_COMPARE(run.app->settings().temperature(), double(0.75f));
    QVERIFY(run.app->state().settingsShown());
    QTRY_COMPARE(run.keys->focusName(), "composer");
  }

  void everythingIsReachedByTabAndHasAName() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 0));
    QTRY_VERIFY(run.idle());
    run.app->window()->resize(1100, 760);  // room for both panels, whatever the screen
    run.send("one");
    QTRY_VERIFY(run.count() == 2 && run.idle());
    run.keys->press(Qt::Key_Comma, Qt::ControlModifier);
    QTRY_VERIFY(run.keys->item("closeSettings"));
    run.app->settings().setTopK(7);  // so that there is something to reset
    QSet<QString> reached;
    for (int i = 0; i < 80; ++i) {
      run.keys->press(Qt::Key_Tab);
      QQuickItem* item = run.keys->focusItem();
      QVERIFY(item);
      reached << item->objectName();
      QAccessibleInterface* face = QAccessible::queryAccessibleInterface(item);
      const QString name = face ? face->text(QAccessible::Name) : QString();
      QVERIFY2(!name.isEmpty(), qPrintable(QString("%1 %2").arg(item->metaObject()->className(), item->objectName())));
    }
    for (const char* name : {"newConversation", "conversationList", "toggleSidebar", "modelPicker", "toggleSettings",
                             "messageList", "copyMessage", "regenerate", "composer", "closeSettings", "resetSettings", "seed"})
      QVERIFY2(reached.contains(QLatin1String(name)), name);
  }

  void streamingLeavesTheReaderAlone() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 0));
    QTRY_VERIFY(run.idle());
    for (int i = 0; i < 9; ++i) {
      run.send(QString("line %1").arg(i));
      QTRY_VERIFY(run.count() == 2 * (i + 1) && run.idle());
    }
    QQuickItem* list = run.keys->item("messageList");
    QTRY_VERIFY(list->property("atYEnd").toBool());
    list->forceActiveFocus();
    run.keys->press(Qt::Key_PageUp);
    QTRY_VERIFY(!list->property("sticky").toBool());
    const double before = list->property("contentY").toDouble();
    run.app->chat().messages()->appendText(run.app->chat().messages()->idAt(17), QString("\nmore").repeated(30));
    QTest::qWait(100);
    QVERIFY(std::abs(list->property("contentY").toDouble() - before) < 1);  // rounded to pixels
    run.keys->press(Qt::Key_End);
    QTRY_VERIFY(list->property("sticky").toBool());
    run.app->chat().messages()->appendText(run.app->chat().messages()->idAt(17), QString("\nmore").repeated(30));
    QTRY_VERIFY(list->property("contentY").toDouble() > before);
    QTRY_VERIFY(list->property("atYEnd").toBool());
  }

  void onlyVisibleMessagesAreAlive() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 0));
    QTRY_VERIFY(run.idle());
    run.send("one");
    QTRY_VERIFY(run.count() == 2 && run.idle());
    std::vector<Message> path;
    for (int i = 1; i <= 5000; ++i) {
      Message message;
      message.id = i;
      message.role = i % 2 ? Role::user : Role::assistant;
      message.text = "message " + std::to_string(i);
      path.push_back(message);
    }
    run.app->chat().messages()->setPath(path);
    QTest::qWait(200);
    int alive = 0;
    forEachItem(run.app->window()->contentItem(), [&](QQuickItem* item) { alive += item->objectName() == "messageText"; });
    QVERIFY2(alive > 2 && alive < 80, qPrintable(QString::number(alive)));
  }

  void darkAndLightReadWell() {
    QTemporaryDir dir;
    Running run;
    QVERIFY(run.start(dir.path(), 0));
    for (const auto mode : {AppearanceViewModel::Light, AppearanceViewModel::Dark}) {
      run.app->appearance().setMode(mode);
      QTest::qWait(30);
      QQmlComponent component(&run.app->engine());
      component.setData("import QtQuick; import Hearth; QtObject { property QtObject theme: Theme }", {});
      const std::unique_ptr<QObject> holder(component.create());
      QVERIFY2(holder != nullptr, qPrintable(component.errorString()));
      const QObject* theme = holder->property("theme").value<QObject*>();
      const auto contrast = [&](const char* a, const char* b) {
        const auto luminance = [](const QColor& c) {  // WCAG 2.1, relative luminance
          const auto linear = [](double v) { return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
          return 0.2126 * linear(c.redF()) + 0.7152 * linear(c.greenF()) + 0.0722 * linear(c.blueF());
        };
        const double x = luminance(theme->property(a).value<QColor>()), y = luminance(theme->property(b).value<QColor>());
        return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
      };
      for (const auto& [ink, paper] : std::initializer_list<std::pair<const char*, const char*>>{
               {"text", "window"}, {"text", "bubble"}, {"text", "selection"}, {"mutedText", "window"},
               {"mutedText", "sidebar"}, {"accentText", "accent"}, {"danger", "window"}, {"text", "noticeFill"}})
        QVERIFY2(contrast(ink, paper) >= 4.5, qPrintable(QString("%1 on %2: %3").arg(ink, paper).arg(contrast(ink, paper))));
    }
  }

  void talksToARealModelAndRefusesABadOne() {
    QTemporaryDir dir;
    {
      Running run;
      QVERIFY(run.start(dir.path(), -1, HEARTH_TEST_DATA "/models/stories260K-f32.gguf"));
      QTRY_VERIFY_WITH_TIMEOUT(run.app->models().ready(), 20000);
      run.app->settings().setMaxTokens(8);
      run.app->settings().setTemperature(0);
      run.send("Once upon a time");
      QTRY_VERIFY_WITH_TIMEOUT(run.count() == 2 && run.idle(), 30000);
      QVERIFY(!run.text(1).isEmpty());
      QVERIFY(run.role(1, MessageListModel::StatisticsRole).toString().contains("stories260K"));
      run.app->models().open(HEARTH_TEST_DATA "/models/qwen2-tiny-q8_0.gguf");
      QTRY_COMPARE(run.app->notices().count(), 1);
      QTRY_VERIFY(run.keys->item("notice"));
      QVERIFY(run.app->models().ready());
    }
    Running run;  // started again: model and conversation are there
    QVERIFY(run.start(dir.path(), -1));
    QTRY_VERIFY_WITH_TIMEOUT(run.app->models().ready(), 20000);
    QTRY_COMPARE(run.count(), 2);
  }
};

QTEST_MAIN(WindowTest)
#include "window_test.moc"
