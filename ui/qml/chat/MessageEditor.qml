// A message of the user's, being written anew where it stands.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

ColumnLayout {
    id: editor

    required property ChatViewModel chat

    spacing: Theme.gap
    Component.onCompleted: {
        box.area.forceActiveFocus()
        box.area.cursorPosition = box.area.length
    }

    TextBox {
        id: box
        objectName: "messageEditor"
        label: qsTr("Edit your message")
        minimumLines: 2
        maximumLines: 12
        area.font.pixelSize: Theme.textSize
        Layout.fillWidth: true
        text: editor.chat.editText
        area.onTextChanged: editor.chat.editText = text
        // Before the window's shortcut, which stops an answer.
        area.Keys.onShortcutOverride: event => event.accepted = event.key === Qt.Key_Escape
        area.Keys.onPressed: event => {
            const enter = event.key === Qt.Key_Return || event.key === Qt.Key_Enter
            if (box.area.inputMethodComposing || box.area.preeditText !== "")
                return
            if (event.key === Qt.Key_Escape) {
                editor.chat.cancelEdit()
            } else if (enter && !(event.modifiers & Qt.ShiftModifier)) {
                editor.chat.commitEdit()
            } else {
                return
            }
            event.accepted = true
        }
    }
    RowLayout {
        Layout.alignment: Qt.AlignRight
        spacing: Theme.gap

        PushButton { text: qsTr("Cancel"); onClicked: editor.chat.cancelEdit() }
        PushButton {
            objectName: "commitEdit"
            primary: true
            text: qsTr("Send")
            enabled: editor.chat.canSend && box.text.trim() !== ""
            onClicked: editor.chat.commitEdit()
        }
    }
}
