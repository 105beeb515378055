// Takes the last deletion back while there is time; the line at the bottom shows how much is left.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

Rectangle {
    id: bar

    required property ConversationsViewModel conversations

    objectName: "undoBar"
    visible: conversations.undoPossible
    implicitHeight: content.implicitHeight + 14
    radius: Theme.radius
    color: Theme.surface
    border.width: 1
    border.color: Theme.border
    clip: true
    Accessible.role: Accessible.AlertMessage
    Accessible.name: message.text

    RowLayout {
        id: content
        anchors { left: parent.left; right: parent.right; verticalCenter: parent.verticalCenter }
        anchors.leftMargin: 12
        anchors.rightMargin: 6

        Label {
            id: message
            text: qsTr("Deleted “%1”").arg(bar.conversations.undoTitle)
            textFormat: Text.PlainText
            elide: Text.ElideRight
            font.pixelSize: Theme.controlSize
            color: Theme.text
            Layout.fillWidth: true
        }
        PushButton {
            objectName: "undoDelete"
            flatLook: true
            text: qsTr("Undo")
            onClicked: bar.conversations.undo()
        }
    }
    Rectangle {
        anchors { left: parent.left; bottom: parent.bottom; margins: 1 }
        height: 3
        width: (parent.width - 2) * bar.conversations.undoRemaining
        color: Theme.accent
    }
}
