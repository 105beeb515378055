// The left column: a new conversation, the list, and the bar that takes a deletion back.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

FocusScope {
    id: panel

    required property ConversationsViewModel conversations
    required property ChatViewModel chat

    function renameCurrent() { list.renameCurrent() }

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

        ConversationList {
            id: list
            conversations: panel.conversations
            chat: panel.chat
            Layout.fillWidth: true
            Layout.fillHeight: true
        }

        UndoBar {
            conversations: panel.conversations
            Layout.fillWidth: true
            Layout.margins: 10
        }
    }
}
