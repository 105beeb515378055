// A tool tip, made when it is first shown. Plain text: what it says may come from a model file.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

Loader {
    id: hint

    property string text
    property bool shown: false
    property bool needed: false

    function prepare() {
        if (shown && text !== "")
            needed = true
    }

    onShownChanged: prepare()
    onTextChanged: prepare()
    active: needed
    sourceComponent: ToolTip {
        id: tip
        delay: 500
        parent: hint.parent
        visible: hint.shown && hint.text !== ""
        text: hint.text
        contentItem: Text {
            objectName: "hintText"
            text: tip.text
            textFormat: Text.PlainText
            font: tip.font
            wrapMode: Text.Wrap
            color: Theme.text
        }
    }
}
