<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en_US">
<context>
    <name>MessageDelegate</name>
    <message numerus="yes">
        <source>The context is full: the oldest %n message(s) were not given to the model.</source>
        <translation>
            <numerusform>The context is full: the oldest message was not given to the model.</numerusform>
            <numerusform>The context is full: the oldest %n messages were not given to the model.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Statistics</name>
    <message numerus="yes">
        <source>%n token(s)</source>
        <translation>
            <numerusform>%n token</numerusform>
            <numerusform>%n tokens</numerusform>
        </translation>
    </message>
</context>
</TS>
