// The window: conversations on the left, the chat in the middle, settings on the right.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

ApplicationWindow {
    id: window

    required property ChatViewModel chat
    required property ConversationsViewModel conversations
    required property ModelPickerViewModel models
    required property SettingsViewModel generation
    required property AppearanceViewModel appearance
    required property NoticeListModel notices
    required property WindowStateViewModel frame
    readonly property bool roomForAll: width >= 1040

    function remember() {
        if (visible && frame.ready && visibility !== Window.Minimized && visibility !== Window.Hidden)
            frame.remember(x, y, width, height, visibility === Window.Maximized)
    }

    title: conversations.currentTitle === "" ? "Hearth" : qsTr("%1 – Hearth").arg(conversations.currentTitle)
    width: Math.min(1100, Screen.desktopAvailableWidth)
    height: Math.min(760, Screen.desktopAvailableHeight)
    minimumWidth: 420
    minimumHeight: 360
    visible: frame.ready
    color: Theme.window
    font.pixelSize: Theme.controlSize

    palette {
        window: Theme.window
        windowText: Theme.text
        base: Theme.surface
        text: Theme.text
        button: Theme.surface
        buttonText: Theme.text
        highlight: Theme.selection
        highlightedText: Theme.text
        light: Theme.hover
        mid: Theme.border
        midlight: Theme.hover
        dark: Theme.mutedText
        placeholderText: Theme.mutedText
        toolTipBase: Theme.surface
        toolTipText: Theme.text
    }

    Binding { target: Theme; property: "dark"; value: window.appearance.dark }
    Binding { target: Theme; property: "scale"; value: window.appearance.textPercent / 100 }

    onXChanged: remember()
    onYChanged: remember()
    onWidthChanged: remember()
    onHeightChanged: remember()
    onVisibilityChanged: remember()
    onClosing: generation.flush()

    Connections {
        target: window.frame
        function onRestored() {
            const at = window.frame.geometry
            if (at.width > 0) {
                window.x = at.x
                window.y = at.y
                window.width = Math.min(at.width, Screen.desktopAvailableWidth)
                window.height = Math.min(at.height, Screen.desktopAvailableHeight)
            }
            if (window.frame.maximized)
                window.visibility = Window.Maximized
        }
        function onSettingsToggled() {
            window.frame.settingsShown ? settings.forceActiveFocus() : page.focusComposer()
        }
    }

    RowLayout {
        anchors.fill: parent
        spacing: 0

        ConversationPanel {
            id: sidebar
            conversations: window.conversations
            chat: window.chat
            visible: window.frame.sidebarShown && (window.roomForAll || !window.frame.settingsShown)
            Layout.fillHeight: true
            Layout.preferredWidth: window.width < 720 ? 200 : Math.round(264 * Math.min(Theme.scale, 1.4))
        }
        ChatPage {
            id: page
            chat: window.chat
            models: window.models
            notices: window.notices
            frame: window.frame
            focus: true
            Layout.fillWidth: true
            Layout.fillHeight: true
            onOpenFileRequested: dialogs.openFile()
            onOpenFolderRequested: dialogs.openFolder()
        }
        SettingsPanel {
            id: settings
            generation: window.generation
            appearance: window.appearance
            visible: window.frame.settingsShown
            Layout.fillHeight: true
            Layout.preferredWidth: Math.min(320 * Math.min(Theme.scale, 1.4), window.width * 0.55)
            onClosed: window.frame.settingsShown = false
        }
    }

    ModelDialogs { id: dialogs; models: window.models }

    DropArea {
        anchors.fill: parent
        onDropped: drop => { if (drop.hasUrls) window.models.openUrl(drop.urls[0]) }
    }

    // What a screen reader is told when an answer has ended.
    Item {
        width: 1
        height: 1
        Accessible.role: Accessible.AlertMessage
        Accessible.name: window.chat.announcement
    }

    WindowShortcuts {
        chat: window.chat
        appearance: window.appearance
        frame: window.frame
        onNewConversation: window.chat.startNew()
        onOpenFile: dialogs.openFile()
        onOpenFolder: dialogs.openFolder()
        onRename: if (sidebar.visible) sidebar.renameCurrent()
        onFocusComposer: page.focusComposer()
        onSwitchConversation: step => {
            const list = window.conversations.list
            const id = list.idAt(list.rowOf(window.chat.conversationId) + step)
            if (id !== 0)
                window.chat.open(id)
        }
        onQuit: window.close()
    }

    Component.onCompleted: page.focusComposer()
}
