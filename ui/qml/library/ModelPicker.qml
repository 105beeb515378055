// The open model's name as a button; its menu opens another one.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

RowLayout {
    id: picker

    required property ModelPickerViewModel models
    signal openFileRequested()
    signal openFolderRequested()

    spacing: Theme.gap

    Button {
        id: button
        objectName: "modelPicker"
        Layout.fillWidth: true
        Layout.minimumWidth: 90
        Layout.maximumWidth: implicitWidth + 1
        text: picker.models.loading ? qsTr("Opening %1…").arg(picker.models.loadingName)
            : picker.models.ready ? picker.models.name : qsTr("Open a model…")
        font.pixelSize: Theme.controlSize
        font.weight: Font.DemiBold
        focusPolicy: Qt.StrongFocus
        leftPadding: 12
        rightPadding: 8
        Accessible.name: qsTr("Model: %1").arg(text)
        Accessible.description: picker.models.facts
        Hint { text: picker.models.facts; shown: button.hovered && picker.models.ready && !menu.visible }
        onClicked: menu.visible ? menu.close() : menu.popup(button, 0, button.height + 4)

        contentItem: RowLayout {
            spacing: 4
            Label {
                text: button.text
                textFormat: Text.PlainText
                font: button.font
                color: Theme.text
                elide: Text.ElideMiddle
                Layout.fillWidth: true
            }
            Image {
                source: "qrc:/icons/" + (Theme.dark ? "chevron-dark" : "chevron") + ".svg"
                sourceSize: Qt.size(16, 16)
            }
        }
        background: Rectangle {
            implicitHeight: Theme.controlHeight
            radius: Theme.radius
            color: button.down ? Theme.pressed : button.hovered || menu.visible ? Theme.hover : "transparent"

            FocusRing { shown: button.visualFocus }
        }
    }

    ProgressBar {
        id: progress
        visible: picker.models.loading
        indeterminate: visible
        Layout.preferredWidth: 90
        Accessible.name: button.text
        palette.dark: Theme.accent
        background: Rectangle { implicitHeight: 4; radius: 2; color: Theme.border }
    }
    Label {
        id: device
        objectName: "device"
        visible: picker.models.ready && !picker.models.loading
        text: picker.models.device
        textFormat: Text.PlainText
        font.pixelSize: Theme.smallSize
        color: Theme.mutedText
        elide: Text.ElideRight
        Layout.fillWidth: true
        Layout.preferredWidth: 1

        HoverHandler { id: deviceHover }
        Hint { text: picker.models.whyNotGpu; shown: deviceHover.hovered }
        Accessible.name: text
        Accessible.description: picker.models.whyNotGpu
    }
    Item { visible: !device.visible; Layout.fillWidth: true }

    PopupMenu {
        id: menu
        itemWidth: 340

        PopupMenuItem {
            objectName: "openModelFile"
            text: qsTr("Open a model file…")
            note: qsTr("GGUF")
            keys: "Ctrl+O"
            onTriggered: picker.openFileRequested()
        }
        PopupMenuItem {
            text: qsTr("Open a model folder…")
            note: qsTr("Hugging Face: config.json and *.safetensors")
            keys: "Ctrl+Shift+O"
            onTriggered: picker.openFolderRequested()
        }
        PopupMenuItem {
            enabled: picker.models.ready
            text: qsTr("Close the model")
            height: visible ? implicitHeight : 0
            onTriggered: picker.models.close()
        }
        MenuSeparator {
            visible: picker.models.recent.count > 0
            height: visible ? implicitHeight : 0
            contentItem: Rectangle { implicitHeight: 1; color: Theme.border }
        }
        Instantiator {
            model: picker.models.recent
            delegate: PopupMenuItem {
                required property string name
                required property string folder
                required property string path
                text: name
                note: folder
                onTriggered: picker.models.open(path)
            }
            onObjectAdded: (index, object) => menu.insertItem(4 + index, object)
            onObjectRemoved: (index, object) => menu.removeItem(object)
        }
        MenuSeparator {
            visible: whyNot.visible
            height: visible ? implicitHeight : 0
            contentItem: Rectangle { implicitHeight: 1; color: Theme.border }
        }
        PopupMenuItem {
            id: whyNot
            enabled: false
            visible: picker.models.ready
            height: visible ? implicitHeight : 0
            text: picker.models.facts
            note: picker.models.whyNotGpu
        }
    }
}
