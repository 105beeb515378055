// Says why Hearth cannot start.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

ApplicationWindow {
    id: window

    required property string text
    required property string details

    title: "Hearth"
    width: 520
    height: Math.max(200, content.implicitHeight + 48)
    visible: true
    color: Theme.window

    ColumnLayout {
        id: content
        anchors { left: parent.left; right: parent.right; top: parent.top; margins: 24 }
        spacing: 14

        Label {
            text: window.text
            textFormat: Text.PlainText
            font.pixelSize: Theme.textSize
            font.weight: Font.DemiBold
            color: Theme.text
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        TextEdit {
            text: window.details
            textFormat: TextEdit.PlainText
            readOnly: true
            selectByMouse: true
            selectByKeyboard: true
            activeFocusOnTab: true
            wrapMode: TextEdit.Wrap
            font.pixelSize: Theme.controlSize
            color: Theme.mutedText
            Accessible.name: qsTr("Details")
            Layout.fillWidth: true
        }
        PushButton {
            objectName: "closeFailure"
            primary: true
            focus: true
            text: qsTr("Close")
            onClicked: window.close()
            Keys.onReturnPressed: window.close()
            Layout.alignment: Qt.AlignRight
        }
    }
    Shortcut { sequences: ["Escape", "Ctrl+Q"]; onActivated: window.close() }
}
