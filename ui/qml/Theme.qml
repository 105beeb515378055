// Colours, sizes and spacings of the whole window.
pragma Singleton

import QtQuick

QtObject {
    property bool dark: false
    property real scale: 1.0

    readonly property color window: dark ? "#1d1c1a" : "#fbfaf8"
    readonly property color sidebar: dark ? "#171614" : "#f2f0ec"
    readonly property color surface: dark ? "#272523" : "#ffffff"
    readonly property color bubble: dark ? "#322e2b" : "#f0e9e1"
    readonly property color border: dark ? "#3f3b37" : "#dcd7cf"
    readonly property color fieldBorder: dark ? "#77706a" : "#948d84"
    readonly property color hover: dark ? "#2e2b28" : "#e8e4dd"
    readonly property color pressed: dark ? "#393531" : "#dcd7ce"
    readonly property color text: dark ? "#ece8e3" : "#26231f"
    readonly property color mutedText: dark ? "#aaa39b" : "#68625a"
    readonly property color accent: dark ? "#e8905f" : "#ad4f27"
    readonly property color accentHover: dark ? "#f0a176" : "#98441f"
    readonly property color accentText: dark ? "#20140d" : "#ffffff"
    readonly property color selection: dark ? "#71482f" : "#f2cdb8"
    readonly property color danger: dark ? "#f58f84" : "#a8271d"
    readonly property color noticeFill: dark ? "#3a2622" : "#fbebe7"
    readonly property color noticeBorder: dark ? "#6b3f37" : "#e7bdb2"

    readonly property int textSize: Math.round(15 * scale)
    readonly property int controlSize: Math.round(14 * scale)
    readonly property int smallSize: Math.round(12 * scale)
    readonly property int titleSize: Math.round(22 * scale)

    readonly property int gap: 8
    readonly property int margin: 16
    readonly property int radius: 8
    readonly property int controlHeight: Math.round(34 * Math.max(1, scale))
    readonly property int iconSize: Math.round(20 * Math.max(1, scale))
    readonly property int columnWidth: Math.round(760 * Math.max(1, scale))
    readonly property int quick: 120
}
