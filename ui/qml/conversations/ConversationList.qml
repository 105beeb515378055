// The list of conversations by day, with the keys that act on its rows.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

// A list view is a focus scope that hands the keyboard on to what had it inside; this item takes it.
Item {
    id: root

    required property ConversationsViewModel conversations
    required property ChatViewModel chat
    readonly property bool ownFocus: Window.activeFocusItem === root

    function renameCurrent() {
        const row = conversations.list.rowOf(chat.conversationId)
        if (row < 0)
            return
        list.currentIndex = row
        list.positionViewAtIndex(row, ListView.Contain)
        list.currentItem.beginRename()
    }
    function openAt(row) { chat.open(conversations.list.idAt(row)) }

    objectName: "conversationList"
    activeFocusOnTab: true
    Accessible.role: Accessible.List
    Accessible.name: qsTr("Conversations")

    // Before the window's shortcut, which renames the open one.
    Keys.onShortcutOverride: event => event.accepted = ownFocus && event.key === Qt.Key_F2
    Keys.onPressed: event => {
        if (!ownFocus || !list.currentItem)
            return
        if (event.key === Qt.Key_Up)
            list.decrementCurrentIndex()
        else if (event.key === Qt.Key_Down)
            list.incrementCurrentIndex()
        else if (event.key === Qt.Key_Home)
            list.currentIndex = 0
        else if (event.key === Qt.Key_End)
            list.currentIndex = list.count - 1
        else if ([Qt.Key_Return, Qt.Key_Enter, Qt.Key_Space].includes(event.key))
            openAt(list.currentIndex)
        else if (event.key === Qt.Key_Delete)
            conversations.remove(conversations.list.idAt(list.currentIndex))
        else if (event.key === Qt.Key_F2)
            list.currentItem.beginRename()
        else if (event.key === Qt.Key_Menu)
            list.currentItem.openMenu()
        else
            return
        event.accepted = true
    }

    Connections {
        target: root.chat
        function onConversationIdChanged() {
            const row = root.conversations.list.rowOf(root.chat.conversationId)
            if (row >= 0)
                list.currentIndex = row
        }
    }

    ListView {
        id: list
        anchors.fill: parent
        clip: true
        keyNavigationEnabled: false
        highlightMoveDuration: 0
        boundsBehavior: Flickable.StopAtBounds
        model: root.conversations.list
        ScrollBar.vertical: SlimScrollBar {}

        section.property: "section"
        section.delegate: Label {
            required property string section
            width: list.width
            leftPadding: 18
            topPadding: 10
            bottomPadding: 4
            text: section
            font.pixelSize: Theme.smallSize
            color: Theme.mutedText
        }

        delegate: ConversationDelegate {
            width: list.width
            current: conversationId === root.chat.conversationId
            listFocused: root.ownFocus && ListView.isCurrentItem
            onOpened: {
                list.currentIndex = index
                root.chat.open(conversationId)
            }
            onRenamed: title => root.conversations.rename(conversationId, title)
            onRemoved: root.conversations.remove(conversationId)
            onRenameEnded: root.forceActiveFocus()
        }

        Label {
            visible: list.count === 0
            width: list.width - 36
            x: 18
            y: 12
            text: qsTr("Your conversations will be listed here.")
            wrapMode: Text.Wrap
            font.pixelSize: Theme.smallSize
            color: Theme.mutedText
        }
    }
}
