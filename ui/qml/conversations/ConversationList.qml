// The list of conversations by day, with the keys that act on its rows.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

// Takes the keyboard itself, and the view has no current item: see MessageView.
Item {
    id: root

    required property ConversationsViewModel conversations
    required property ChatViewModel chat
    readonly property bool ownFocus: Window.activeFocusItem === root
    property var currentId: 0

    function renameCurrent() {
        const row = conversations.list.rowOf(chat.conversationId)
        if (row < 0)
            return
        select(row)
        list.itemAtIndex(row).beginRename()
    }
    function select(row) {
        currentId = conversations.list.idAt(Math.max(0, Math.min(row, list.count - 1)))
        list.positionViewAtIndex(currentRow(), ListView.Contain)
    }
    function currentRow() { return conversations.list.rowOf(currentId) }
    function openAt(row) { chat.open(conversations.list.idAt(row)) }

    objectName: "conversationList"
    activeFocusOnTab: true
    Accessible.role: Accessible.List
    Accessible.name: qsTr("Conversations")

    // Before the window's shortcut, which renames the open one.
    Keys.onShortcutOverride: event => event.accepted = ownFocus && event.key === Qt.Key_F2
    Keys.onPressed: event => {
        if (!ownFocus || list.count === 0)
            return
        if (currentRow() < 0)
            select(0)
        const row = currentRow()
        if (event.key === Qt.Key_Up)
            select(row - 1)
        else if (event.key === Qt.Key_Down)
            select(row + 1)
        else if (event.key === Qt.Key_Home)
            select(0)
        else if (event.key === Qt.Key_End)
            select(list.count - 1)
        else if ([Qt.Key_Return, Qt.Key_Enter, Qt.Key_Space].includes(event.key))
            openAt(row)
        else if (event.key === Qt.Key_Delete)
            conversations.remove(currentId)
        else if (event.key === Qt.Key_F2)
            list.itemAtIndex(row).beginRename()
        else if (event.key === Qt.Key_Menu)
            list.itemAtIndex(row).openMenu()
        else
            return
        event.accepted = true
    }

    Connections {
        target: root.chat
        function onConversationIdChanged() {
            root.currentId = root.chat.conversationId
        }
    }
    Connections {
        target: root.conversations
        function onLeftForNeighbour(deleted, neighbour) {
            if (root.currentId === deleted)
                root.currentId = neighbour
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
        currentIndex: -1
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
            listFocused: root.ownFocus && conversationId === root.currentId
            onOpened: {
                root.currentId = conversationId
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
