// Every shortcut of the window in one place.
import QtQuick
import Hearth

Item {
    id: shortcuts

    required property ChatViewModel chat
    required property AppearanceViewModel appearance
    required property WindowStateViewModel frame
    signal newConversation()
    signal openFile()
    signal openFolder()
    signal rename()
    signal focusComposer()
    signal switchConversation(int step)
    signal quit()

    Shortcut { sequence: "Ctrl+N"; autoRepeat: false; onActivated: shortcuts.newConversation() }
    Shortcut { sequence: "Ctrl+O"; autoRepeat: false; onActivated: shortcuts.openFile() }
    Shortcut { sequence: "Ctrl+Shift+O"; autoRepeat: false; onActivated: shortcuts.openFolder() }
    Shortcut { sequence: "F2"; autoRepeat: false; onActivated: shortcuts.rename() }
    Shortcut { sequence: "Ctrl+L"; onActivated: shortcuts.focusComposer() }
    Shortcut { sequence: "Ctrl+B"; onActivated: shortcuts.frame.sidebarShown = !shortcuts.frame.sidebarShown }
    Shortcut { sequence: "Ctrl+,"; onActivated: shortcuts.frame.settingsShown = !shortcuts.frame.settingsShown }
    Shortcut {
        sequence: "Ctrl+R"
        autoRepeat: false
        enabled: shortcuts.chat.canSend
        onActivated: {
            const messages = shortcuts.chat.messages
            shortcuts.chat.regenerate(messages.idAt(messages.count - 1))
        }
    }
    Shortcut {
        sequence: "Escape"
        enabled: shortcuts.chat.answering
        onActivated: shortcuts.chat.stop()
    }
    Shortcut { sequence: "Ctrl+PgUp"; onActivated: shortcuts.switchConversation(-1) }
    Shortcut { sequence: "Ctrl+PgDown"; onActivated: shortcuts.switchConversation(1) }
    Shortcut { sequences: ["Ctrl++", "Ctrl+="]; onActivated: shortcuts.appearance.textPercent += 10 }
    Shortcut { sequence: "Ctrl+-"; onActivated: shortcuts.appearance.textPercent -= 10 }
    Shortcut { sequence: "Ctrl+0"; onActivated: shortcuts.appearance.textPercent = 100 }
    Shortcut { sequence: "Ctrl+Q"; onActivated: shortcuts.quit() }
}
