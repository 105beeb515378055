// How the next token is chosen, and where an answer ends.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

ColumnLayout {
    id: form

    required property SettingsViewModel generation

    spacing: 14

    Connections {
        target: form.generation
        function onWanted() {
            for (let i = 0; i < form.children.length; ++i)
                if (form.children[i].commit)
                    form.children[i].commit()
        }
    }
    SettingSlider {
        objectName: "temperature"
        label: qsTr("Temperature")
        explanation: qsTr("0 always takes the likeliest token; higher is more varied.")
        to: 2
        step: 0.05
        value: form.generation.temperature
        onChanged: newValue => form.generation.temperature = newValue
    }
    SettingSlider {
        objectName: "topK"
        label: qsTr("Top-k")
        explanation: qsTr("Only this many of the likeliest tokens are considered; 0 for all.")
        to: 200
        step: 1
        decimals: 0
        value: form.generation.topK
        onChanged: newValue => form.generation.topK = Math.round(newValue)
    }
    SettingSlider {
        objectName: "topP"
        label: qsTr("Top-p")
        explanation: qsTr("The likeliest tokens that together have this probability; 1 for all.")
        value: form.generation.topP
        onChanged: newValue => form.generation.topP = newValue
    }
    SettingSlider {
        objectName: "minP"
        label: qsTr("Min-p")
        explanation: qsTr("Tokens less likely than this part of the likeliest one are left out; 0 for none.")
        value: form.generation.minP
        onChanged: newValue => form.generation.minP = newValue
    }
    SettingSlider {
        objectName: "repetitionPenalty"
        label: qsTr("Repetition penalty")
        explanation: qsTr("Above 1 makes tokens that were used less likely.")
        from: 0.5
        to: 2
        value: form.generation.repetitionPenalty
        onChanged: newValue => form.generation.repetitionPenalty = newValue
    }
    SettingSlider {
        objectName: "presencePenalty"
        label: qsTr("Presence penalty")
        explanation: qsTr("Taken off once from every token that was used.")
        from: -2
        to: 2
        value: form.generation.presencePenalty
        onChanged: newValue => form.generation.presencePenalty = newValue
    }
    SettingSlider {
        objectName: "frequencyPenalty"
        label: qsTr("Frequency penalty")
        explanation: qsTr("Taken off from a token for each time it was used.")
        from: -2
        to: 2
        value: form.generation.frequencyPenalty
        onChanged: newValue => form.generation.frequencyPenalty = newValue
    }

    RowLayout {
        Label { text: qsTr("Seed"); font.pixelSize: Theme.controlSize; color: Theme.text; Layout.fillWidth: true }
        LineField {
            objectName: "seed"
            implicitWidth: Math.round(140 * Theme.scale)
            placeholderText: qsTr("random")
            horizontalAlignment: TextInput.AlignRight
            Accessible.name: qsTr("Seed")
            Accessible.description: qsTr("The same seed gives the same answer; empty for another one each time.")
            validator: RegularExpressionValidator { regularExpression: /\d{0,19}/ }
            text: form.generation.seed
            onTextEdited: form.generation.seed = text
        }
    }
    RowLayout {
        Label { text: qsTr("Longest answer"); font.pixelSize: Theme.controlSize; color: Theme.text; Layout.fillWidth: true }
        LineField {
            objectName: "maxTokens"
            implicitWidth: Math.round(140 * Theme.scale)
            placeholderText: qsTr("no limit")
            horizontalAlignment: TextInput.AlignRight
            Accessible.name: qsTr("Longest answer in tokens")
            Accessible.description: qsTr("Empty: until the context is full.")
            validator: RegularExpressionValidator { regularExpression: /\d{0,7}/ }
            text: form.generation.maxTokens < 0 ? "" : form.generation.maxTokens
            onTextEdited: form.generation.maxTokens = text === "" ? -1 : parseInt(text)
        }
    }

    SettingLabel { text: qsTr("Stop texts") }
    TextBox {
        objectName: "stopTexts"
        label: qsTr("Stop texts, one a line")
        placeholderText: qsTr("One a line; \\n for a line break")
        minimumLines: 2
        maximumLines: 6
        Layout.fillWidth: true
        text: form.generation.stopTexts
        area.onTextChanged: form.generation.stopTexts = text
    }
}
