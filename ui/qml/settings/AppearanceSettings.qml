// Light or dark, and the size of the text.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

ColumnLayout {
    id: form

    required property AppearanceViewModel appearance

    spacing: 10

    SettingLabel { text: qsTr("Appearance"); Layout.bottomMargin: 0; font.weight: Font.DemiBold }
    Repeater {
        model: [
            { mode: AppearanceViewModel.System, words: qsTr("As the desktop") },
            { mode: AppearanceViewModel.Light, words: qsTr("Light") },
            { mode: AppearanceViewModel.Dark, words: qsTr("Dark") }
        ]
        delegate: RadioButton {
            id: choice
            required property var modelData
            objectName: "appearance" + modelData.mode
            text: modelData.words
            Accessible.name: text
            font.pixelSize: Theme.controlSize
            checked: form.appearance.mode === modelData.mode
            onToggled: form.appearance.mode = modelData.mode
            padding: 2
            focusPolicy: Qt.StrongFocus

            indicator: Rectangle {
                x: choice.leftPadding
                y: choice.height / 2 - height / 2
                implicitWidth: 18
                implicitHeight: 18
                radius: 9
                color: Theme.surface
                border.width: choice.checked ? 5 : 1
                border.color: choice.checked ? Theme.accent : Theme.fieldBorder

                FocusRing { shown: choice.visualFocus; radius: 11 }
            }
            contentItem: Text {
                leftPadding: choice.indicator.width + 8
                text: choice.text
                font: choice.font
                color: Theme.text
                verticalAlignment: Text.AlignVCenter
            }
        }
    }
    SettingSlider {
        objectName: "textPercent"
        label: qsTr("Text size (%)")
        from: 80
        to: 200
        step: 10
        decimals: 0
        value: form.appearance.textPercent
        onChanged: newValue => form.appearance.textPercent = Math.round(newValue)
    }
}
