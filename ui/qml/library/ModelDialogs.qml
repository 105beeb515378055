// Choosing a model on disk.
import QtQuick
import QtQuick.Dialogs
import Hearth

Item {
    id: dialogs

    required property ModelPickerViewModel models

    function openFile() { file.open() }
    function openFolder() { folder.open() }

    FileDialog {
        id: file
        title: qsTr("Open a model file")
        nameFilters: [qsTr("Model files (*.gguf *.safetensors)"), qsTr("All files (*)")]
        onAccepted: dialogs.models.openUrl(selectedFile)
    }
    FolderDialog {
        id: folder
        title: qsTr("Open a model folder")
        onAccepted: dialogs.models.openUrl(selectedFolder)
    }
}
