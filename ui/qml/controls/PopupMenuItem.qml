// A line of a menu: words, an optional second line, and the shortcut that does the same.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

MenuItem {
    id: item

    property string note
    property string keys
    property color tint: Theme.text

    implicitHeight: Math.max(Theme.controlHeight, content.implicitHeight + 10)
    font.pixelSize: Theme.controlSize
    leftPadding: 10
    rightPadding: 10
    opacity: enabled ? 1 : 0.45
    Accessible.name: note === "" ? text : text + ", " + note

    contentItem: RowLayout {
        id: content
        spacing: Theme.gap

        ColumnLayout {
            spacing: 0
            Layout.fillWidth: true

            Label {
                text: item.text
                font: item.font
                color: item.tint
                textFormat: Text.PlainText
                elide: Text.ElideRight
                Layout.fillWidth: true
            }
            Label {
                visible: item.note !== ""
                text: item.note
                font.pixelSize: Theme.smallSize
                color: Theme.mutedText
                textFormat: Text.PlainText
                elide: Text.ElideLeft
                Layout.fillWidth: true
            }
        }
        Label {
            visible: item.keys !== ""
            text: item.keys
            font.pixelSize: Theme.smallSize
            color: Theme.mutedText
        }
    }

    indicator: null
    arrow: null

    background: Rectangle {
        radius: Theme.radius - 2
        color: item.highlighted || item.down ? Theme.hover : "transparent"
        border.width: item.visualFocus ? 2 : 0
        border.color: Theme.accent
    }
}
