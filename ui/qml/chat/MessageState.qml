// Why an answer is not complete.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

ColumnLayout {
    id: line

    property string reason
    property string error
    property bool empty: false

    spacing: 2

    Label {
        text: line.state === "interrupted" ? qsTr("Interrupted: Hearth ended while this was being written.")
            : line.state === "stopped" ? (line.empty ? qsTr("Stopped before the first word.") : qsTr("Stopped."))
            : line.state !== "failed" ? ""
            : line.reason !== "" ? qsTr("The answer failed: %1").arg(line.reason) : qsTr("The answer failed.")
        font.pixelSize: Theme.smallSize
        font.weight: Font.DemiBold
        color: line.state === "failed" ? Theme.danger : Theme.mutedText
        wrapMode: Text.Wrap
        Layout.fillWidth: true
    }
    TextEdit {
        visible: line.state === "failed" && line.error !== ""
        text: line.error
        textFormat: TextEdit.PlainText
        readOnly: true
        selectByMouse: true
        wrapMode: TextEdit.Wrap
        font.pixelSize: Theme.smallSize
        color: Theme.mutedText
        selectionColor: Theme.selection
        selectedTextColor: Theme.text
        Layout.fillWidth: true
        Accessible.name: qsTr("Reason")
    }
}
