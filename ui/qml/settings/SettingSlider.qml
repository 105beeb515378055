// A number with a slider and a field; both show and change the same value.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

ColumnLayout {
    id: setting

    property string label
    property string explanation
    property real value
    property real from: 0
    property real to: 1
    property real step: 0.01
    property int decimals: 2
    signal changed(real newValue)

    /// Takes over what has been typed; what is not a number that is allowed goes back to the value.
    function commit() {
        if (!field.typed)
            return
        field.typed = false
        if (field.acceptableInput)
            setting.changed(Number.fromLocaleString(Qt.locale(), field.text))
        field.text = Qt.binding(() => Number(setting.value).toLocaleString(Qt.locale(), "f", setting.decimals))
    }

    spacing: 2
    Layout.fillWidth: true

    RowLayout {
        Label {
            text: setting.label
            font.pixelSize: Theme.controlSize
            color: Theme.text
            elide: Text.ElideRight
            Layout.fillWidth: true

            HoverHandler { id: labelHover }
            Hint { text: setting.explanation; shown: labelHover.hovered }
        }
        LineField {
            id: field
            property bool typed: false
            objectName: setting.objectName + "Field"
            implicitWidth: Math.round(72 * Theme.scale)
            horizontalAlignment: TextInput.AlignRight
            inputMethodHints: Qt.ImhFormattedNumbersOnly
            Accessible.name: setting.label
            Accessible.description: setting.explanation
            validator: DoubleValidator {
                bottom: setting.from
                top: Math.max(setting.to, 1e6)
                decimals: setting.decimals
                notation: DoubleValidator.StandardNotation
            }
            text: Number(setting.value).toLocaleString(Qt.locale(), "f", setting.decimals)
            onTextEdited: typed = true
            onEditingFinished: setting.commit()
        }
    }
    Slider {
        id: slider
        Layout.fillWidth: true
        implicitHeight: 24
        from: setting.from
        to: setting.to
        stepSize: setting.step
        value: setting.value
        focusPolicy: Qt.StrongFocus
        Accessible.name: setting.label
        onMoved: setting.changed(value)

        background: Rectangle {
            x: slider.leftPadding
            y: slider.topPadding + slider.availableHeight / 2 - height / 2
            width: slider.availableWidth
            height: 4
            radius: 2
            color: Theme.border

            Rectangle {
                width: slider.visualPosition * parent.width
                height: parent.height
                radius: 2
                color: Theme.accent
            }
        }
        handle: Rectangle {
            x: slider.leftPadding + slider.visualPosition * (slider.availableWidth - width)
            y: slider.topPadding + slider.availableHeight / 2 - height / 2
            implicitWidth: 16
            implicitHeight: 16
            radius: 8
            color: Theme.surface
            border.width: 2
            border.color: Theme.accent

            FocusRing { shown: slider.visualFocus; radius: 10 }
        }
    }
}
