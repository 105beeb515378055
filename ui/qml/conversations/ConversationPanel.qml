// The left column: a new conversation, the list, and the bar that takes a deletion back.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

FocusScope {
    id: panel

    required property ConversationsViewModel conversations
    required property ChatViewModel chat

    function renameCurrent() {
        const row = conversations.list.rowOf(chat.conversationId)
        if (row < 0)
            return
        list.currentIndex = row
        list.positionViewAtIndex(row, ListView.Contain)
        list.currentItem.beginRename()
    }

    Rectangle {
        anchors.fill: parent
        color: Theme.sidebar

        Rectangle { anchors.right: parent.right; width: 1; height: parent.height; color: Theme.border }
    }

    ColumnLayout {
        anchors.fill: parent
        anchors.rightMargin: 1
        spacing: 0

        PushButton {
            objectName: "newConversation"
            text: qsTr("New conversation")
            icon.source: "qrc:/icons/new.svg"
            Layout.fillWidth: true
            Layout.margins: 10
            onClicked: panel.chat.startNew()
        }

        ListView {
            id: list
            objectName: "conversationList"
            Layout.fillWidth: true
            Layout.fillHeight: true
            clip: true
            focus: true
            activeFocusOnTab: true
            keyNavigationEnabled: true
            highlightMoveDuration: 0
            boundsBehavior: Flickable.StopAtBounds
            // A list view is a focus scope: it is active while something inside it has the keyboard.
            readonly property bool ownFocus: Window.activeFocusItem === list
            model: panel.conversations.list
            ScrollBar.vertical: SlimScrollBar {}
            Accessible.role: Accessible.List
            Accessible.name: qsTr("Conversations")

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
                current: conversationId === panel.chat.conversationId
                listFocused: list.ownFocus && ListView.isCurrentItem
                onOpened: {
                    list.currentIndex = index
                    panel.chat.open(conversationId)
                }
                onRenamed: title => panel.conversations.rename(conversationId, title)
                onRemoved: panel.conversations.remove(conversationId)
                onRenameEnded: list.forceActiveFocus()
            }

            Keys.onReturnPressed: panel.chat.open(model.idAt(currentIndex))
            Keys.onEnterPressed: panel.chat.open(model.idAt(currentIndex))
            Keys.onSpacePressed: panel.chat.open(model.idAt(currentIndex))
            Keys.onDeletePressed: panel.conversations.remove(model.idAt(currentIndex))
            Keys.onPressed: event => {
                if (event.key === Qt.Key_F2 && currentItem) {
                    currentItem.beginRename()
                    event.accepted = true
                } else if (event.key === Qt.Key_Menu && currentItem) {
                    currentItem.openMenu()
                    event.accepted = true
                }
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

        UndoBar {
            conversations: panel.conversations
            Layout.fillWidth: true
            Layout.margins: 10
        }
    }
}
