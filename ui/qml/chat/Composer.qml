// Where the user writes. Enter sends, but never while an input method composes.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

FocusScope {
    id: composer

    required property ChatViewModel chat

    function takeFocus() {
        composer.forceActiveFocus()
        box.area.forceActiveFocus(Qt.ShortcutFocusReason)
    }

    implicitHeight: frame.height + Theme.margin

    Rectangle {
        id: frame
        anchors { left: parent.left; right: parent.right; top: parent.top }
        anchors.leftMargin: Theme.margin
        anchors.rightMargin: Theme.margin
        height: box.implicitHeight + 12
        radius: 16
        color: Theme.surface
        border.width: box.area.activeFocus ? 2 : 1
        border.color: box.area.activeFocus ? Theme.accent : Theme.fieldBorder

        TextBox {
            id: box
            anchors { left: parent.left; right: button.left; verticalCenter: parent.verticalCenter }
            anchors.leftMargin: 6
            anchors.rightMargin: 4
            height: implicitHeight
            framed: false
            label: qsTr("Message")
            maximumLines: 9
            placeholderText: composer.chat.modelReady ? qsTr("Write a message")
                                                      : qsTr("Open a model, then write a message")
            text: composer.chat.draft
            area.objectName: "composer"
            area.focus: true
            area.font.pixelSize: Theme.textSize
            area.onTextChanged: composer.chat.draft = text
            area.Keys.onPressed: event => composer.onKey(event)
        }
        IconButton {
            id: button
            objectName: composer.chat.answering ? "stop" : "send"
            anchors { right: parent.right; bottom: parent.bottom; margins: 7 }
            symbol: composer.chat.answering ? "stop" : "send"
            text: composer.chat.answering ? qsTr("Stop") : qsTr("Send")
            hint: composer.chat.answering ? qsTr("Stop (Esc)") : qsTr("Send (Enter)")
            enabled: composer.chat.answering || (composer.chat.canSend && box.text.trim() !== "")
            icon.color: Theme.accentText
            onClicked: composer.chat.answering ? composer.chat.stop() : composer.chat.send()

            background: Rectangle {
                radius: height / 2
                color: button.hovered || button.down ? Theme.accentHover : Theme.accent

                FocusRing { shown: button.visualFocus; radius: height / 2 }
            }
        }
    }

    function onKey(event) {
        const enter = event.key === Qt.Key_Return || event.key === Qt.Key_Enter
        if (box.area.inputMethodComposing || box.area.preeditText !== "")
            return
        if (enter && !(event.modifiers & Qt.ShiftModifier)) {
            composer.chat.send()
        } else if (event.key === Qt.Key_Up && box.text === "") {
            composer.chat.beginEditLast()
        } else {
            return
        }
        event.accepted = true
    }
}
