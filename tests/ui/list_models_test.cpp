// Every list model of the window under Qt's model tester, empty first.
#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

#include "tests/support/ui_fake_chat_link.h"
#include "ui/models/conversation_list_model.h"
#include "ui/models/message_list_model.h"
#include "ui/models/notice_list_model.h"
#include "ui/models/recent_models_model.h"
#include "ui/models/statistics_text.h"

using namespace hearth;

namespace {

constexpr auto kFatal = QAbstractItemModelTester::FailureReportingMode::QtTest;

QList<qint64> ids(const ConversationListModel& model) {
  QList<qint64> all;
  for (int row = 0; row < model.count(); ++row) all << model.idAt(row);
  return all;
}

QString textAt(const MessageListModel& model, int row) {
  return model.data(model.index(row), MessageListModel::TextRole).toString();
}

}  // namespace

class ListModelsTest : public QObject {
  Q_OBJECT

 private slots:
  void conversationsStayNewestFirst() {
    ConversationListModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    model.reset({makeConversation(1, "one"), makeConversation(3, "three"), makeConversation(2, "two")});
    QCOMPARE(ids(model), (QList<qint64>{3, 2, 1}));
    model.put(makeConversation(4, "four"));
    QCOMPARE(ids(model), (QList<qint64>{4, 3, 2, 1}));
    model.put(makeConversation(1, "one", 9000));  // used last: to the top
    QCOMPARE(ids(model), (QList<qint64>{1, 4, 3, 2}));
    model.put(makeConversation(1, "one", 500));   // and down again
    QCOMPARE(ids(model), (QList<qint64>{4, 3, 2, 1}));
    model.put(makeConversation(3, "renamed", 3000));
    QCOMPARE(ids(model), (QList<qint64>{4, 3, 2, 1}));
    QCOMPARE(model.data(model.index(1), ConversationListModel::TitleRole).toString(), "renamed");
    model.remove(4);
    model.remove(99);
    QCOMPARE(ids(model), (QList<qint64>{3, 2, 1}));
    model.reset({});
    QCOMPARE(model.count(), 0);
  }

  void conversationWithoutTitleHasAName() {
    QCOMPARE(titleOf(makeConversation(1, "")), "New conversation");
    QCOMPARE(titleOf(makeConversation(1, "a\nb  c")), "a b c");
  }

  void streamedTextChangesOneRoleOfOneRow() {
    MessageListModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    model.add({makeMessage(1, Role::user, "hi"),
               makeMessage(2, Role::assistant, "", MessageState::streaming)});
    QSignalSpy changes(&model, &MessageListModel::dataChanged);
    model.appendText(2, "Once");
    model.appendText(2, " upon");
    model.appendText(77, "not here");
    QCOMPARE(textAt(model, 1), "Once upon");
    QCOMPARE(changes.count(), 0);  // announced with the next frame
    QTRY_COMPARE(changes.count(), 1);
    QCOMPARE(changes[0][0].toModelIndex().row(), 1);
    QCOMPARE(changes[0][1].toModelIndex().row(), 1);
    QCOMPARE(changes[0][2].value<QList<int>>(), QList<int>{MessageListModel::TextRole});
  }

  void branchSwitchKeepsTheSharedRows() {
    MessageListModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    model.setPath({});
    model.setPath({makeMessage(1, Role::user, "q"), makeMessage(2, Role::assistant, "a"),
                   makeMessage(3, Role::user, "q2"), makeMessage(4, Role::assistant, "a2")});
    QSignalSpy removed(&model, &MessageListModel::rowsRemoved);
    QSignalSpy inserted(&model, &MessageListModel::rowsInserted);
    model.setPath({makeMessage(1, Role::user, "q"),
                   makeMessage(5, Role::assistant, "b", MessageState::complete, {2, 5})});
    QCOMPARE(removed.count(), 1);
    QCOMPARE(removed[0][1].toInt(), 1);
    QCOMPARE(removed[0][2].toInt(), 3);
    QCOMPARE(inserted.count(), 1);
    QCOMPARE(model.count(), 2);
    const auto role = [&](int r) { return model.data(model.index(1), r); };
    QCOMPARE(role(MessageListModel::VersionRole).toInt(), 2);
    QCOMPARE(role(MessageListModel::VersionsRole).toInt(), 2);
    QCOMPARE(model.versionBeside(5, -1), 2);
    QCOMPARE(model.versionBeside(5, 1), 0);
    model.setPath({});
    QCOMPARE(model.count(), 0);
  }

  void finishedAnswerReplacesTextAndKeepsVersions() {
    MessageListModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    model.setPath({makeMessage(1, Role::user, "q"),
                   makeMessage(3, Role::assistant, "", MessageState::streaming, {2, 3})});
    model.setReading(3, 5, 10);
    QCOMPARE(model.data(model.index(1), MessageListModel::ReadingRole).toDouble(), 0.5);
    model.appendText(3, "part");
    QVERIFY(model.data(model.index(1), MessageListModel::ReadingRole).toDouble() < 0);
    Message done = makeMessage(3, Role::assistant, "part and whole");
    done.sibling_ids.clear();  // the service does not fill them in here
    model.replace(done);
    QCOMPARE(textAt(model, 1), "part and whole");
    QCOMPARE(model.data(model.index(1), MessageListModel::StateRole).toString(), "complete");
    QCOMPARE(model.data(model.index(1), MessageListModel::VersionsRole).toInt(), 2);
  }

  void statisticsSayWhatWasMeasured() {
    AnswerStats stats;
    stats.generated_tokens = 12;
    stats.generated_tokens_per_s = 34.56;
    stats.time_to_first_token_ms = 1500;
    stats.stop_reason = "max_tokens";
    stats.model = "stories260K";
    const QString line = statisticsLine(stats);
    for (const char* part : {"12", "34.6 tokens/s", "1.5 s", "token limit reached", "stories260K"})
      QVERIFY2(line.contains(QLatin1String(part)), qPrintable(line));
  }

  void recentModelsAreLimitedAndNotRepeated() {
    RecentModelsModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    for (int i = 0; i < RecentModelsModel::kLimit + 3; ++i) model.touch(QString("/m/%1.gguf").arg(i));
    QCOMPARE(model.count(), RecentModelsModel::kLimit);
    QCOMPARE(model.paths().first(), "/m/10.gguf");
    model.touch("/m/5.gguf");
    QCOMPARE(model.count(), RecentModelsModel::kLimit);
    QCOMPARE(model.paths().first(), "/m/5.gguf");
    model.remove("/m/5.gguf");
    QCOMPARE(model.count(), RecentModelsModel::kLimit - 1);
    model.reset({"/a/b.gguf"});
    QCOMPARE(model.data(model.index(0), RecentModelsModel::NameRole).toString(), "b.gguf");
    QCOMPARE(model.data(model.index(0), RecentModelsModel::FolderRole).toString(), "/a");
  }

  void noticesAreNotRepeatedAndMakeRoom() {
    NoticeListModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    model.post({"a", "1"});
    model.post({"a", "1"});
    QCOMPARE(model.count(), 1);
    for (int i = 0; i < 5; ++i) model.post({"n", QString::number(i)});
    QCOMPARE(model.count(), NoticeListModel::kLimit);
    model.dismiss(7);
    model.dismiss(0);
    QCOMPARE(model.count(), NoticeListModel::kLimit - 1);
  }
};

QTEST_GUILESS_MAIN(ListModelsTest)
#include "list_models_test.moc"
