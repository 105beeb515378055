// What to do when there is nothing to read yet.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

Item {
    id: empty

    required property ModelPickerViewModel models
    signal openFileRequested()
    signal openFolderRequested()

    ColumnLayout {
        anchors.centerIn: parent
        width: Math.min(parent.width - 2 * Theme.margin, 460)
        spacing: 14

        Image {
            source: "qrc:/icons/org.hearth.Hearth.svg"
            sourceSize: Qt.size(64, 64)
            Layout.alignment: Qt.AlignHCenter
            Accessible.ignored: true
        }
        Label {
            text: empty.models.ready ? qsTr("What shall we talk about?")
                : empty.models.loading ? qsTr("Opening %1…").arg(empty.models.loadingName)
                : qsTr("Open a model to begin")
            textFormat: Text.PlainText
            font.pixelSize: Theme.titleSize
            font.weight: Font.DemiBold
            color: Theme.text
            horizontalAlignment: Text.AlignHCenter
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        Label {
            visible: !empty.models.loading
            text: empty.models.ready
                ? qsTr("Everything you write stays on this computer.")
                : qsTr("Hearth runs a language model on this computer. Open a GGUF file, or a Hugging Face folder with config.json and safetensors files; you can also drop one on this window.")
            font.pixelSize: Theme.controlSize
            lineHeight: 1.25
            color: Theme.mutedText
            horizontalAlignment: Text.AlignHCenter
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        RowLayout {
            visible: !empty.models.ready && !empty.models.loading
            spacing: Theme.gap
            Layout.alignment: Qt.AlignHCenter

            PushButton {
                objectName: "openModel"
                primary: true
                text: qsTr("Open a model…")
                onClicked: empty.openFileRequested()
            }
            PushButton {
                text: qsTr("Open a folder…")
                onClicked: empty.openFolderRequested()
            }
        }
    }
}
