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
        currentFolder: dialogs.models.startFolder
        nameFilters: [qsTr("Model files (*.gguf *.safetensors)"), qsTr("All files (*)")]
        onAccepted: dialogs.models.openUrl(selectedFile)
    }
    FolderDialog {
        id: folder
        title: qsTr("Open a model folder")
        currentFolder: dialogs.models.startFolder
        onAccepted: dialogs.models.openUrl(selectedFolder)
    }
}
