// The view models against a link whose service the test plays.
#include <QSignalSpy>
#include <QTest>

#include "tests/support/ui_fake_chat_link.h"
#include "ui/bridge/model_link.h"
#include "ui/viewmodels/appearance_view_model.h"
#include "ui/viewmodels/chat_view_model.h"
#include "ui/viewmodels/conversations_view_model.h"
#include "ui/models/error_text.h"
#include "ui/viewmodels/model_picker_view_model.h"
#include "ui/viewmodels/settings_view_model.h"
#include "ui/viewmodels/window_state_view_model.h"

using namespace hearth;

namespace {

class FakeModelLink final : public ModelLink {
 public:
  QStringList asked;
  void openModel(const QString& path) override { asked << "open " + path; }
  void closeModel() override { emit closed(); }
};

struct Chat {
  FakeChatLink link;
  NoticeListModel notices;
  ChatViewModel model{link, notices, [] { return GenerationSettings{}; }};
};

const Error kDiskFull{ErrorCode::disk_full, "/data/hearth.db: no space"};

}  // namespace

class ViewModelsTest : public QObject {
  Q_OBJECT

 private slots:
  void sendsOnlyWithAModelAndWords() {
    Chat chat;
    chat.model.open(1);
    chat.model.setDraft("hello");
    chat.link.take();
    chat.model.send();
    QVERIFY(chat.link.take().isEmpty());
    QCOMPARE(chat.model.draft(), "hello");
    chat.model.setModelReady(true);
    chat.model.setDraft(" \n ");
    chat.model.send();
    QVERIFY(chat.link.take().isEmpty());
    chat.model.setDraft(" hello\n");
    chat.model.send();
    QCOMPARE(chat.link.take(), QStringList{"submit 1 -1 hello"});
    QCOMPARE(chat.model.draft(), "");
    QVERIFY(!chat.model.canSend());  // until the message is stored and answered
  }

  void firstMessageCreatesItsConversation() {
    Chat chat;
    chat.model.setModelReady(true);
    chat.model.setDraft("first");
    chat.model.send();
    chat.model.send();
    QCOMPARE(chat.link.take(), (QStringList{"save draft:0 first", "create"}));
    QCOMPARE(chat.model.draft(), "");
    emit chat.link.conversationCreated(makeConversation(5, ""));
    QCOMPARE(chat.model.conversationId(), 5);
    QCOMPARE(chat.link.take(), (QStringList{"save draft:5 first", "save draft:0 ", "submit 5 -1 first"}));
    emit chat.link.messagesAdded(5, {makeMessage(1, Role::user, "first")});
    QCOMPARE(chat.link.take(), QStringList{"save draft:5 "});
  }

  void firstMessageOutlivesAWindowThatClosesAtOnce() {
    FakeChatLink link;
    NoticeListModel notices;
    {
      ChatViewModel model(link, notices, [] { return GenerationSettings{}; });
      model.setModelReady(true);
      model.setDraft("first");
      model.send();
    }
    QCOMPARE(link.take().filter("save draft:0").last(), "save draft:0 first");
    // The next start finds the empty conversation that was made for it.
    ChatViewModel next(link, notices, [] { return GenerationSettings{}; });
    next.loadDraft();
    next.open(5);
    QCOMPARE(link.take(), (QStringList{"load draft:0", "load draft:5", "open 5"}));
    emit link.settingLoaded("draft:0", "first");
    emit link.settingLoaded("draft:5", "");
    emit link.pathLoaded(5, {});
    QCOMPARE(next.draft(), "first");
    QCOMPARE(link.take(), (QStringList{"save draft:5 first", "save draft:0 "}));
  }

  void draftStaysStoredUntilTheMessageIs() {
    FakeChatLink link;
    NoticeListModel notices;
    {
      ChatViewModel model(link, notices, [] { return GenerationSettings{}; });
      model.setModelReady(true);
      model.open(1);
      model.setDraft("precious");
      model.send();
      QVERIFY(link.take().filter("save").isEmpty());
    }
    QCOMPARE(link.take(), QStringList{"save draft:1 precious"});
    // It did arrive: it is not offered a second time.
    ChatViewModel next(link, notices, [] { return GenerationSettings{}; });
    next.open(1);
    emit link.settingLoaded("draft:1", "precious");
    QCOMPARE(next.draft(), "precious");
    link.take();
    emit link.pathLoaded(1, {makeMessage(1, Role::user, "precious")});
    QCOMPARE(next.draft(), "");
    QCOMPARE(link.take(), QStringList{"save draft:1 "});
  }

  void draftWithoutAConversationComesBack() {
    Chat chat;
    chat.model.loadDraft();
    emit chat.link.settingLoaded("draft:0", "typed before there was a model");
    QCOMPARE(chat.model.draft(), "typed before there was a model");
  }

  void editsStayWithTheirMessages() {
    Chat chat;
    chat.model.setModelReady(true);
    const std::vector<Message> path = {makeMessage(1, Role::user, "q"), makeMessage(2, Role::assistant, "a"),
                                       makeMessage(3, Role::user, "r"), makeMessage(4, Role::assistant, "b")};
    chat.model.open(1);
    emit chat.link.pathLoaded(1, path);
    chat.model.beginEdit(1);
    chat.model.setEditText("half an edit");
    chat.model.startNew();
    emit chat.link.conversationCreated(makeConversation(2, ""));
    QCOMPARE(chat.model.editingId(), 0);
    chat.model.open(1);
    emit chat.link.pathLoaded(1, path);
    QCOMPARE(chat.model.editingId(), 1);
    QCOMPARE(chat.model.editText(), "half an edit");
    chat.model.beginEdit(3);
    QCOMPARE(chat.model.editText(), "r");
    chat.model.beginEdit(1);
    QCOMPARE(chat.model.editText(), "half an edit");
    chat.model.cancelEdit();
    chat.model.beginEdit(1);
    QCOMPARE(chat.model.editText(), "q");
  }

  void failedEditIsBackInItsEditor() {
    Chat chat;
    chat.model.setModelReady(true);
    chat.model.open(1);
    emit chat.link.pathLoaded(1, {makeMessage(1, Role::user, "q"), makeMessage(2, Role::assistant, "a")});
    chat.model.beginEdit(1);
    chat.model.setEditText("better q");
    chat.model.commitEdit();
    QCOMPARE(chat.model.editingId(), 0);
    emit chat.link.submitFailed(1, "better q", kDiskFull);
    QCOMPARE(chat.model.draft(), "");
    QCOMPARE(chat.model.editingId(), 1);
    QCOMPARE(chat.model.editText(), "better q");
    QVERIFY(chat.model.canSend());
    QCOMPARE(chat.notices.count(), 1);
  }

  void asksOnceForANewAnswer() {
    Chat chat;
    chat.model.setModelReady(true);
    chat.model.open(1);
    const Message question = makeMessage(1, Role::user, "q");
    emit chat.link.pathLoaded(1, {question, makeMessage(2, Role::assistant, "a")});
    chat.link.take();
    chat.model.regenerate(2);
    chat.model.regenerate(2);
    QCOMPARE(chat.link.take(), QStringList{"regenerate 1 2"});
    emit chat.link.failed(kDiskFull);
    QVERIFY(chat.model.canSend());
    chat.model.regenerate(2);
    emit chat.link.pathLoaded(1, {question, makeMessage(3, Role::assistant, "", MessageState::streaming, {2, 3})});
    emit chat.link.answerFinished(1, makeMessage(3, Role::assistant, "b", MessageState::complete, {2, 3}));
    QVERIFY(chat.model.canSend());
    chat.link.take();
    chat.model.beginEdit(1);
    chat.model.setEditText("better q");
    chat.model.commitEdit();
    QVERIFY(!chat.model.canSend());
    chat.model.beginEdit(1);
    QCOMPARE(chat.model.editingId(), 0);
  }

  void failedSubmitHandsTheTextBack() {
    Chat chat;
    chat.model.setModelReady(true);
    chat.model.open(1);
    chat.model.setDraft("precious");
    chat.model.send();
    chat.model.setDraft("next");
    emit chat.link.submitFailed(1, "precious", kDiskFull);
    QCOMPARE(chat.model.draft(), "precious\nnext");
    QVERIFY(chat.model.canSend());
    QCOMPARE(chat.notices.count(), 1);
  }

  void failedCreationHandsTheTextBack() {
    Chat chat;
    chat.model.setModelReady(true);
    chat.model.setDraft("precious");
    chat.model.send();
    emit chat.link.failed(kDiskFull);
    QCOMPARE(chat.model.draft(), "precious");
    QVERIFY(chat.model.canSend());
  }

  void showsWhatStreamsInTheOpenConversationOnly() {
    Chat chat;
    chat.model.setModelReady(true);
    chat.model.open(1);
    emit chat.link.messagesAdded(1, {makeMessage(1, Role::user, "q"),
                                     makeMessage(2, Role::assistant, "", MessageState::streaming)});
    QVERIFY(chat.model.answering());
    emit chat.link.answerText(1, 2, "Once");
    emit chat.link.answerText(3, 9, "elsewhere");
    QCOMPARE(chat.model.messages()->data(chat.model.messages()->index(1), MessageListModel::TextRole).toString(), "Once");
    chat.model.stop();
    QVERIFY(chat.link.take().contains("stop 1"));
    emit chat.link.answerFinished(1, makeMessage(2, Role::assistant, "Once", MessageState::stopped));
    QVERIFY(!chat.model.answering());
    QVERIFY(chat.model.canSend());
    QCOMPARE(chat.model.announcement(), "Once");
  }

  void draftsBelongToTheirConversation() {
    Chat chat;
    chat.model.open(1);
    chat.model.setDraft("for one");
    chat.link.take();
    chat.model.open(2);
    QCOMPARE(chat.link.take(), (QStringList{"save draft:1 for one", "load draft:2", "open 2"}));
    emit chat.link.settingLoaded("draft:2", "kept from before");
    QCOMPARE(chat.model.draft(), "kept from before");
    chat.model.open(1);
    QCOMPARE(chat.model.draft(), "for one");
  }

  void editsInPlaceAndShowsVersions() {
    Chat chat;
    chat.model.setModelReady(true);
    chat.model.open(1);
    emit chat.link.pathLoaded(1, {makeMessage(1, Role::user, "q", MessageState::complete, {1, 4}),
                                  makeMessage(2, Role::assistant, "a")});
    chat.link.take();
    chat.model.beginEdit(2);
    QCOMPARE(chat.model.editingId(), 0);  // answers are not edited
    chat.model.beginEditLast();
    QCOMPARE(chat.model.editingId(), 1);
    QCOMPARE(chat.model.editText(), "q");
    chat.model.cancelEdit();
    chat.model.beginEdit(1);
    chat.model.setEditText("better q");
    chat.model.commitEdit();
    QCOMPARE(chat.link.take(), QStringList{"edit 1 1 better q"});
    QCOMPARE(chat.model.editingId(), 0);
    emit chat.link.pathLoaded(1, {makeMessage(1, Role::user, "q", MessageState::complete, {1, 4}),
                                  makeMessage(2, Role::assistant, "a")});
    chat.model.showVersion(1, -1);
    QVERIFY(chat.link.take().isEmpty());
    chat.model.showVersion(1, 1);
    QCOMPARE(chat.link.take(), QStringList{"branch 1 4"});
  }

  void newConversationReusesAnEmptyOne() {
    Chat chat;
    chat.model.startNew();
    chat.model.startNew();
    QCOMPARE(chat.link.take(), QStringList{"create"});
    emit chat.link.conversationCreated(makeConversation(5, ""));
    chat.link.take();
    chat.model.startNew();
    QVERIFY(chat.link.take().isEmpty());
  }

  void deletionCanBeTakenBackUntilItExpires() {
    FakeChatLink link;
    ConversationsViewModel model(link);
    QSignalSpy left(&model, &ConversationsViewModel::leftForNeighbour);
    emit link.conversationsListed({makeConversation(1, "one"), makeConversation(2, "two")});
    model.remove(2);
    QCOMPARE(link.take(), QStringList{"delete 2"});
    emit link.conversationDeleted(2, 400);
    QCOMPARE(model.list()->count(), 1);
    QCOMPARE(left.takeFirst(), (QVariantList{qint64{2}, qint64{1}}));
    QVERIFY(model.undoPossible());
    QCOMPARE(model.undoTitle(), "two");
    const double before = model.undoRemaining();
    QTRY_VERIFY(model.undoRemaining() < before);
    model.undo();
    QCOMPARE(link.take(), QStringList{"undo 2"});
    emit link.conversationRestored(makeConversation(2, "two"));
    QVERIFY(!model.undoPossible());
    QCOMPARE(model.list()->count(), 2);
    emit link.conversationDeleted(1, 150);
    QTRY_VERIFY_WITH_TIMEOUT(!model.undoPossible(), 2000);
  }

  void settingsAreStoredOnceAfterManyChanges() {
    FakeChatLink link;
    ConversationListModel conversations;
    Conversation conversation = makeConversation(1, "one");
    conversation.settings.temperature = 0.3f;
    conversations.reset({conversation});
    SettingsViewModel model(link, conversations);
    model.show(1);
    QCOMPARE(model.temperature(), double(0.3f));
    QVERIFY(!model.isDefault());
    for (int i = 0; i < 50; ++i) model.setTemperature(i / 50.0);
    model.setTopK(-3);
    model.setSeed("42");
    model.setSeed("nonsense");
    model.setMaxTokens(0);
    model.setStopTexts("a\\nb\n\nEnd\\\\");
    QVERIFY(link.take().isEmpty());
    model.flush();
    QCOMPARE(link.take(), QStringList{"settings 1"});
    const GenerationSettings& saved = link.saved_settings.back();
    QCOMPARE(saved.top_k, 0);
    QCOMPARE(*saved.seed, 42u);
    QCOMPARE(saved.max_tokens, -1);
    QCOMPARE(saved.stop, (std::vector<std::string>{"a\nb", "End\\"}));
    QCOMPARE(model.stopTexts(), "a\\nb\n\nEnd\\\\");  // as typed, while it is being typed
    emit link.conversationChanged({.id = 1, .settings = saved});
    model.setStopTexts("\\");
    QCOMPARE(model.stopTexts(), "\\");  // the beginning of \n, perhaps
    model.reset();
    QVERIFY(model.isDefault());
    model.show(0);
    QCOMPARE(link.take(), QStringList{"settings 1"});
  }

  void modelPickerRemembersWhatOpened() {
    FakeChatLink link;
    FakeModelLink models;
    Preferences preferences(link);
    NoticeListModel notices;
    ModelPickerViewModel picker(models, preferences, notices);
    picker.openUrl(QUrl("https://example.org/model.gguf"));
    QVERIFY(models.asked.isEmpty());
    picker.open(HEARTH_TEST_DATA "/models/stories260K-hf/config.json");
    QVERIFY(models.asked.takeFirst().endsWith("/models/stories260K-hf"));
    QVERIFY(picker.loading());
    emit models.ready({.name = "m", .path = "/x/m.gguf", .architecture = "llama", .weight_type = "F32",
                       .device = "CPU", .why_not_gpu = "no GPU", .context_length = 512, .file_bytes = 1});
    QVERIFY(picker.ready() && !picker.loading());
    QVERIFY(picker.facts().contains("context 512"));
    QCOMPARE(picker.recent()->paths(), QStringList{"/x/m.gguf"});
    QCOMPARE(preferences.value(Preferences::kLastModel), "/x/m.gguf");
  }

  void modelThatCannotBeUsedLeavesTheOpenOne() {
    FakeChatLink link;
    FakeModelLink models;
    Preferences preferences(link);
    NoticeListModel notices;
    ModelPickerViewModel picker(models, preferences, notices);
    ModelDescription good;
    good.name = "good";
    emit models.ready(good);
    picker.open("/nowhere/bad.gguf");
    emit models.failed("/nowhere/bad.gguf", {ErrorCode::bad_file, "/nowhere/bad.gguf: byte 7"});
    QVERIFY(picker.ready() && !picker.loading());
    QCOMPARE(picker.name(), "good");
    QCOMPARE(notices.count(), 1);
    QVERIFY(notices.data(notices.index(0), NoticeListModel::TextRole).toString().contains("bad.gguf"));
    QVERIFY(notices.data(notices.index(0), NoticeListModel::DetailsRole).toString().contains("byte 7"));
  }

  void closingTheModelEndsTheOpeningOfAnother() {
    FakeChatLink link;
    FakeModelLink models;
    Preferences preferences(link);
    NoticeListModel notices;
    ModelPickerViewModel picker(models, preferences, notices);
    emit models.ready({.name = "a", .path = "/x/a.gguf"});
    picker.open("/x/b.gguf");
    emit models.loading("/x/b.gguf");
    picker.close();
    QVERIFY(!picker.ready() && !picker.loading());
  }

  void preferencesComeBack() {
    FakeChatLink link;
    Preferences preferences(link);
    AppearanceViewModel appearance(preferences);
    WindowStateViewModel state(preferences);
    preferences.load();
    for (const QString& line : link.take()) {
      const QString key = line.section(' ', 1);
      emit link.settingLoaded(key, key == "appearance" ? "Dark" : key == "text_size" ? "900"
          : key == "window_geometry" ? R"({"at":[10,20,700,500],"sidebar":false,"settings":true})" : "");
    }
    QVERIFY(preferences.isLoaded());
    QVERIFY(appearance.dark());
    QCOMPARE(appearance.textPercent(), AppearanceViewModel::kMaxTextPercent);
    QCOMPARE(state.geometry(), QRect(10, 20, 700, 500));
    QVERIFY(!state.sidebarShown() && state.settingsShown());
    appearance.setMode(AppearanceViewModel::Light);
    QVERIFY(!appearance.dark());
    QVERIFY(link.take().contains("save appearance Light"));
    state.remember(1, 2, 3, 4, true);
    QTRY_COMPARE(link.asked.filter("window_geometry").size(), 1);
    QCOMPARE(state.geometry(), QRect(10, 20, 700, 500));  // maximized: the old place is kept
  }

  void windowOffEveryScreenIsNotRestored() {
    FakeChatLink link;
    Preferences preferences(link);
    WindowStateViewModel state(preferences);
    preferences.load();
    for (const QString& line : link.take()) {
      const QString key = line.section(' ', 1);
      emit link.settingLoaded(key, key == "window_geometry" ? R"({"at":[90000,20,700,500]})" : "");
    }
    QVERIFY(state.geometry().isEmpty());
  }

  void everyErrorCodeHasWords() {
    QSet<QString> texts;
    for (int code = 0; code <= static_cast<int>(ErrorCode::newer_version); ++code) {
      const QString text = describeError(static_cast<ErrorCode>(code));
      QVERIFY2(!text.isEmpty(), errorCodeName(static_cast<ErrorCode>(code)));
      texts << text;
    }
    QCOMPARE(texts.size(), static_cast<int>(ErrorCode::newer_version) + 1);
    QVERIFY(noticeForStart(kDiskFull).text.contains("disk"));
  }
};

QTEST_MAIN(ViewModelsTest)
#include "view_models_test.moc"
