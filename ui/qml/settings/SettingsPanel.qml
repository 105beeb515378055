// The right panel: how the open conversation's answers are made, and how the window looks.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

FocusScope {
    id: panel

    required property SettingsViewModel generation
    required property AppearanceViewModel appearance
    signal closed()

    Rectangle {
        anchors.fill: parent
        color: Theme.sidebar

        Rectangle { width: 1; height: parent.height; color: Theme.border }
    }

    RowLayout {
        id: heading
        anchors { left: parent.left; right: parent.right; top: parent.top }
        anchors.leftMargin: Theme.margin
        anchors.rightMargin: Theme.gap
        height: 52

        Label {
            text: qsTr("Settings")
            font.pixelSize: Theme.textSize
            font.weight: Font.DemiBold
            color: Theme.text
            Layout.fillWidth: true
        }
        IconButton {
            objectName: "closeSettings"
            symbol: "close"
            text: qsTr("Close settings")
            onClicked: panel.closed()
        }
    }

    ScrollView {
        id: scroll
        anchors { left: parent.left; right: parent.right; top: heading.bottom; bottom: parent.bottom }
        contentWidth: availableWidth
        ScrollBar.vertical: SlimScrollBar {
            parent: scroll
            x: scroll.width - width
            height: scroll.height
        }

        ColumnLayout {
            x: Theme.margin
            width: scroll.availableWidth - 2 * Theme.margin
            spacing: 14

            SettingLabel { text: qsTr("System prompt") }
            TextBox {
                objectName: "systemPrompt"
                label: qsTr("System prompt")
                placeholderText: qsTr("What the model should know and how it should answer")
                minimumLines: 3
                maximumLines: 10
                Layout.fillWidth: true
                text: panel.generation.systemPrompt
                area.onTextChanged: panel.generation.systemPrompt = text
            }
            SamplingSettings { generation: panel.generation; Layout.fillWidth: true }
            PushButton {
                objectName: "resetSettings"
                text: qsTr("Reset to defaults")
                enabled: !panel.generation.isDefault
                onClicked: panel.generation.reset()
            }
            Rectangle { Layout.fillWidth: true; implicitHeight: 1; color: Theme.border }
            AppearanceSettings { appearance: panel.appearance; Layout.fillWidth: true }
            Item { implicitHeight: Theme.margin }
        }
    }
}
