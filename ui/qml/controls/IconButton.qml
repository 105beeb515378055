// A button that shows an icon; its text is the tool tip and what a screen reader says.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

Button {
    id: control

    property string symbol
    property string hint: text
    property color tint: Theme.mutedText
    property bool small: false
    readonly property int extent: small ? Math.round(Theme.iconSize * 0.9) : Theme.iconSize

    Accessible.name: text
    display: AbstractButton.IconOnly
    padding: small ? 4 : 7
    implicitWidth: extent + 2 * padding
    implicitHeight: implicitWidth
    icon.source: symbol === "" ? "" : "qrc:/icons/" + symbol + ".svg"
    icon.width: extent
    icon.height: extent
    icon.color: checked ? Theme.accent : hovered || visualFocus ? Theme.text : tint
    opacity: enabled ? 1 : 0.4
    focusPolicy: Qt.StrongFocus

    Hint { text: control.hint; shown: control.hovered }

    background: Rectangle {
        radius: Theme.radius
        color: control.down ? Theme.pressed : control.hovered ? Theme.hover : "transparent"

        FocusRing { shown: control.visualFocus }
    }
}
