// Before the first word: how much of the prompt has been read.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

RowLayout {
    id: progress

    property real part: -1   // negative: not known yet

    spacing: 10

    Label {
        text: progress.part < 0 ? qsTr("Waiting for the model…")
            : qsTr("Reading… %1 %").arg(Math.round(progress.part * 100))
        font.pixelSize: Theme.controlSize
        color: Theme.mutedText
    }
    ProgressBar {
        id: bar
        visible: progress.part >= 0
        value: Math.max(0, progress.part)
        Layout.preferredWidth: 160
        Accessible.name: qsTr("Reading the prompt")
        background: Rectangle { implicitHeight: 4; radius: 2; color: Theme.border }
        contentItem: Item {
            implicitHeight: 4
            Rectangle { width: bar.visualPosition * parent.width; height: 4; radius: 2; color: Theme.accent }
        }
    }
}
