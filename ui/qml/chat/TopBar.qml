// Panels on and off, and the model that answers.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

Item {
    id: bar

    required property ModelPickerViewModel models
    required property WindowStateViewModel frame
    signal openFileRequested()
    signal openFolderRequested()

    implicitHeight: Math.max(52, row.implicitHeight + 12)

    RowLayout {
        id: row
        anchors.fill: parent
        anchors.leftMargin: Theme.gap
        anchors.rightMargin: Theme.gap
        spacing: Theme.gap

        IconButton {
            objectName: "toggleSidebar"
            symbol: "sidebar"
            text: bar.frame.sidebarShown ? qsTr("Hide conversations") : qsTr("Show conversations")
            hint: text + " (Ctrl+B)"
            onClicked: bar.frame.sidebarShown = !bar.frame.sidebarShown
        }
        ModelPicker {
            models: bar.models
            Layout.fillWidth: true
            onOpenFileRequested: bar.openFileRequested()
            onOpenFolderRequested: bar.openFolderRequested()
        }
        IconButton {
            objectName: "toggleSettings"
            symbol: "settings"
            text: bar.frame.settingsShown ? qsTr("Hide settings") : qsTr("Show settings")
            hint: text + " (Ctrl+,)"
            checked: bar.frame.settingsShown
            onClicked: bar.frame.settingsShown = !bar.frame.settingsShown
        }
    }
}
