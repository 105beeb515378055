<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN">
<context>
    <name>AppearanceSettings</name>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>As the desktop</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Text size (%)</source>
        <translation>文字大小（%）</translation>
    </message>
</context>
<context>
    <name>Chat</name>
    <message>
        <source>The answer failed.</source>
        <translation>回答失败。</translation>
    </message>
</context>
<context>
    <name>ChatPage</name>
    <message>
        <source>To the end</source>
        <translation>转到末尾</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Message</source>
        <translation>消息</translation>
    </message>
    <message>
        <source>Write a message</source>
        <translation>输入消息</translation>
    </message>
    <message>
        <source>Open a model, then write a message</source>
        <translation>先打开模型，再输入消息</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
    <message>
        <source>Stop (Esc)</source>
        <translation>停止（Esc）</translation>
    </message>
    <message>
        <source>Send (Enter)</source>
        <translation>发送（Enter）</translation>
    </message>
</context>
<context>
    <name>ConversationDelegate</name>
    <message>
        <source>More about “%1”</source>
        <translation>“%1”的更多操作</translation>
    </message>
    <message>
        <source>Title</source>
        <translation>标题</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Del</source>
        <translation>Del</translation>
    </message>
</context>
<context>
    <name>ConversationList</name>
    <message>
        <source>Conversations</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Your conversations will be listed here.</source>
        <translation>您的对话会列在这里。</translation>
    </message>
</context>
<context>
    <name>ConversationPanel</name>
    <message>
        <source>New conversation</source>
        <translation>新对话</translation>
    </message>
</context>
<context>
    <name>Conversations</name>
    <message>
        <source>Today</source>
        <translation>今天</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>昨天</translation>
    </message>
    <message>
        <source>This week</source>
        <translation>本周</translation>
    </message>
    <message>
        <source>This month</source>
        <translation>本月</translation>
    </message>
    <message>
        <source>Older</source>
        <translation>更早</translation>
    </message>
    <message>
        <source>New conversation</source>
        <translation>新对话</translation>
    </message>
</context>
<context>
    <name>EmptyChat</name>
    <message>
        <source>What shall we talk about?</source>
        <translation>我们聊点什么？</translation>
    </message>
    <message>
        <source>Opening %1…</source>
        <translation>正在打开 %1…</translation>
    </message>
    <message>
        <source>Open a model to begin</source>
        <translation>打开一个模型即可开始</translation>
    </message>
    <message>
        <source>Everything you write stays on this computer.</source>
        <translation>您写的一切都留在这台电脑上。</translation>
    </message>
    <message>
        <source>Hearth runs a language model on this computer. Open a GGUF file, or a Hugging Face folder with config.json and safetensors files; you can also drop one on this window.</source>
        <translation>Hearth 在这台电脑上运行语言模型。请打开一个 GGUF 文件，或包含 config.json 与 safetensors 文件的 Hugging Face 文件夹；也可以把它拖到本窗口。</translation>
    </message>
    <message>
        <source>Open a model…</source>
        <translation>打开模型…</translation>
    </message>
    <message>
        <source>Open a folder…</source>
        <translation>打开文件夹…</translation>
    </message>
</context>
<context>
    <name>Errors</name>
    <message>
        <source>the file is damaged or is not a model file.</source>
        <translation>文件已损坏，或不是模型文件。</translation>
    </message>
    <message>
        <source>this version of Hearth does not support this kind of model.</source>
        <translation>此版本的 Hearth 不支持这种模型。</translation>
    </message>
    <message>
        <source>it is not there, or a part of it is missing.</source>
        <translation>它不存在，或缺少一部分。</translation>
    </message>
    <message>
        <source>there is not enough memory for it.</source>
        <translation>内存不足，无法打开它。</translation>
    </message>
    <message>
        <source>this cannot be done.</source>
        <translation>无法这样做。</translation>
    </message>
    <message>
        <source>something that is needed is not there any more.</source>
        <translation>所需的内容已不存在。</translation>
    </message>
    <message>
        <source>a file is damaged.</source>
        <translation>文件已损坏。</translation>
    </message>
    <message>
        <source>this version of Hearth does not support it.</source>
        <translation>此版本的 Hearth 不支持。</translation>
    </message>
    <message>
        <source>there is not enough memory.</source>
        <translation>内存不足。</translation>
    </message>
    <message>
        <source>the disk is full.</source>
        <translation>磁盘已满。</translation>
    </message>
    <message>
        <source>the data folder cannot be written.</source>
        <translation>无法写入数据文件夹。</translation>
    </message>
    <message>
        <source>the system reported an error.</source>
        <translation>系统报告了错误。</translation>
    </message>
    <message>
        <source>it is in use at the moment.</source>
        <translation>正在使用中。</translation>
    </message>
    <message>
        <source>it was cancelled.</source>
        <translation>已取消。</translation>
    </message>
    <message>
        <source>the compute device failed.</source>
        <translation>计算设备出错。</translation>
    </message>
    <message>
        <source>it was written by a newer version of Hearth.</source>
        <translation>它由更新版本的 Hearth 写入。</translation>
    </message>
    <message>
        <source>Something went wrong: %1</source>
        <translation>出错了：%1</translation>
    </message>
    <message>
        <source>“%1” can&apos;t be used: %2</source>
        <translation>无法使用“%1”：%2</translation>
    </message>
    <message>
        <source>Your message was not sent, and is back in the box below: %1</source>
        <translation>消息未发送，已放回下方的输入框：%1</translation>
    </message>
    <message>
        <source>Your edited message was not sent, and is still in its editor: %1</source>
        <translation>修改后的消息未发送，仍保留在编辑框中：%1</translation>
    </message>
    <message>
        <source>Hearth is already running with this data folder.</source>
        <translation>已有一个 Hearth 正在使用此数据文件夹。</translation>
    </message>
    <message>
        <source>Hearth cannot write to its data folder.</source>
        <translation>Hearth 无法写入其数据文件夹。</translation>
    </message>
    <message>
        <source>The disk is full, so Hearth cannot store anything.</source>
        <translation>磁盘已满，Hearth 无法保存任何内容。</translation>
    </message>
    <message>
        <source>Your conversations were written by a newer version of Hearth. Nothing was changed.</source>
        <translation>您的对话由更新版本的 Hearth 写入。未做任何更改。</translation>
    </message>
    <message>
        <source>The file with your conversations is damaged. Nothing was changed.</source>
        <translation>保存对话的文件已损坏。未做任何更改。</translation>
    </message>
    <message>
        <source>Hearth cannot open its data folder.</source>
        <translation>Hearth 无法打开其数据文件夹。</translation>
    </message>
</context>
<context>
    <name>FailureWindow</name>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>Main</name>
    <message>
        <source>%1 – Hearth</source>
        <translation>%1 – Hearth</translation>
    </message>
</context>
<context>
    <name>MessageActions</name>
    <message>
        <source>Previous version</source>
        <translation>上一版本</translation>
    </message>
    <message>
        <source>Version %1 of %2</source>
        <translation>第 %1 版，共 %2 版</translation>
    </message>
    <message>
        <source>Next version</source>
        <translation>下一版本</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>编辑</translation>
    </message>
    <message>
        <source>Answer again</source>
        <translation>重新回答</translation>
    </message>
    <message>
        <source>Statistics: %1</source>
        <translation>统计：%1</translation>
    </message>
</context>
<context>
    <name>MessageDelegate</name>
    <message>
        <source>You</source>
        <translation>您</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>回答</translation>
    </message>
    <message numerus="yes">
        <source>The context is full: the oldest %n message(s) were not given to the model.</source>
        <translation>
            <numerusform>上下文已满：最早的 %n 条消息未提供给模型。</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>MessageEditor</name>
    <message>
        <source>Edit your message</source>
        <translation>编辑消息</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
</context>
<context>
    <name>MessageState</name>
    <message>
        <source>Interrupted: Hearth ended while this was being written.</source>
        <translation>已中断：写到这里时 Hearth 退出了。</translation>
    </message>
    <message>
        <source>Stopped before the first word.</source>
        <translation>在第一个词之前已停止。</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>已停止。</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>回答失败。</translation>
    </message>
    <message>
        <source>Reason</source>
        <translation>原因</translation>
    </message>
    <message>
        <source>The answer failed: %1</source>
        <translation>回答失败：%1</translation>
    </message>
</context>
<context>
    <name>MessageText</name>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>全选</translation>
    </message>
</context>
<context>
    <name>MessageView</name>
    <message>
        <source>Messages</source>
        <translation>消息</translation>
    </message>
</context>
<context>
    <name>ModelDialogs</name>
    <message>
        <source>Open a model file</source>
        <translation>打开模型文件</translation>
    </message>
    <message>
        <source>Model files (*.gguf *.safetensors)</source>
        <translation>模型文件 (*.gguf *.safetensors)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
    <message>
        <source>Open a model folder</source>
        <translation>打开模型文件夹</translation>
    </message>
</context>
<context>
    <name>ModelPicker</name>
    <message>
        <source>Opening %1…</source>
        <translation>正在打开 %1…</translation>
    </message>
    <message>
        <source>Open a model…</source>
        <translation>打开模型…</translation>
    </message>
    <message>
        <source>Model: %1</source>
        <translation>模型：%1</translation>
    </message>
    <message>
        <source>Open a model file…</source>
        <translation>打开模型文件…</translation>
    </message>
    <message>
        <source>GGUF</source>
        <translation>GGUF</translation>
    </message>
    <message>
        <source>Open a model folder…</source>
        <translation>打开模型文件夹…</translation>
    </message>
    <message>
        <source>Hugging Face: config.json and *.safetensors</source>
        <translation>Hugging Face：config.json 与 *.safetensors</translation>
    </message>
    <message>
        <source>Close the model</source>
        <translation>关闭模型</translation>
    </message>
</context>
<context>
    <name>Models</name>
    <message>
        <source>context %1</source>
        <translation>上下文 %1</translation>
    </message>
</context>
<context>
    <name>NoticeBanners</name>
    <message>
        <source>Less</source>
        <translation>收起</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>ReadingProgress</name>
    <message>
        <source>Waiting for the model…</source>
        <translation>正在等待模型…</translation>
    </message>
    <message>
        <source>Reading… %1 %</source>
        <translation>正在阅读… %1 %</translation>
    </message>
    <message>
        <source>Reading the prompt</source>
        <translation>正在阅读提示</translation>
    </message>
</context>
<context>
    <name>SamplingSettings</name>
    <message>
        <source>Temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>0 always takes the likeliest token; higher is more varied.</source>
        <translation>0 总是取最可能的词元；数值越高越多样。</translation>
    </message>
    <message>
        <source>Top-k</source>
        <translation>Top-k</translation>
    </message>
    <message>
        <source>Only this many of the likeliest tokens are considered; 0 for all.</source>
        <translation>只考虑这么多个最可能的词元；0 表示全部。</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>The likeliest tokens that together have this probability; 1 for all.</source>
        <translation>累计概率达到此值的最可能词元；1 表示全部。</translation>
    </message>
    <message>
        <source>Min-p</source>
        <translation>Min-p</translation>
    </message>
    <message>
        <source>Tokens less likely than this part of the likeliest one are left out; 0 for none.</source>
        <translation>概率低于最可能词元的这一比例的词元会被排除；0 表示不排除。</translation>
    </message>
    <message>
        <source>Repetition penalty</source>
        <translation>重复惩罚</translation>
    </message>
    <message>
        <source>Above 1 makes tokens that were used less likely.</source>
        <translation>大于 1 时，用过的词元更不容易出现。</translation>
    </message>
    <message>
        <source>Presence penalty</source>
        <translation>存在惩罚</translation>
    </message>
    <message>
        <source>Taken off once from every token that was used.</source>
        <translation>对每个用过的词元扣除一次。</translation>
    </message>
    <message>
        <source>Frequency penalty</source>
        <translation>频率惩罚</translation>
    </message>
    <message>
        <source>Taken off from a token for each time it was used.</source>
        <translation>词元每使用一次就扣除一次。</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>随机种子</translation>
    </message>
    <message>
        <source>random</source>
        <translation>随机</translation>
    </message>
    <message>
        <source>The same seed gives the same answer; empty for another one each time.</source>
        <translation>相同的种子给出相同的回答；留空则每次不同。</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>回答长度上限</translation>
    </message>
    <message>
        <source>no limit</source>
        <translation>不限</translation>
    </message>
    <message>
        <source>Longest answer in tokens</source>
        <translation>回答长度上限（词元）</translation>
    </message>
    <message>
        <source>Empty: until the context is full.</source>
        <translation>留空：直到上下文用满。</translation>
    </message>
    <message>
        <source>Stop texts</source>
        <translation>停止文本</translation>
    </message>
    <message>
        <source>Stop texts, one a line</source>
        <translation>停止文本，每行一个</translation>
    </message>
    <message>
        <source>One a line; 
 for a line break</source>
        <translation>每行一个；\n 表示换行</translation>
    </message>
</context>
<context>
    <name>SettingsPanel</name>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Close settings</source>
        <translation>关闭设置</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>系统提示</translation>
    </message>
    <message>
        <source>What the model should know and how it should answer</source>
        <translation>模型应知道什么、应如何回答</translation>
    </message>
    <message>
        <source>Reset to defaults</source>
        <translation>恢复默认值</translation>
    </message>
</context>
<context>
    <name>Statistics</name>
    <message>
        <source>%1 ms</source>
        <translation>%1 毫秒</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>finished</source>
        <translation>已完成</translation>
    </message>
    <message>
        <source>stop text reached</source>
        <translation>遇到停止文本</translation>
    </message>
    <message>
        <source>token limit reached</source>
        <translation>达到长度上限</translation>
    </message>
    <message>
        <source>context full</source>
        <translation>上下文已满</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>已停止</translation>
    </message>
    <message numerus="yes">
        <source>%n token(s)</source>
        <translation>
            <numerusform>%n 个词元</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 tokens/s</source>
        <translation>%1 词元/秒</translation>
    </message>
    <message>
        <source>first after %1</source>
        <translation>首个词元 %1</translation>
    </message>
    <message>
        <source>Prompt: %1 tokens, %2 of them already read</source>
        <translation>提示：%1 个词元，其中 %2 个已读过</translation>
    </message>
    <message>
        <source>Prompt read at %1 tokens/s</source>
        <translation>提示阅读速度：%1 词元/秒</translation>
    </message>
    <message>
        <source>Device: %1</source>
        <translation>设备：%1</translation>
    </message>
    <message>
        <source>Model: %1</source>
        <translation>模型：%1</translation>
    </message>
</context>
<context>
    <name>TopBar</name>
    <message>
        <source>Hide conversations</source>
        <translation>隐藏对话</translation>
    </message>
    <message>
        <source>Show conversations</source>
        <translation>显示对话</translation>
    </message>
    <message>
        <source>Hide settings</source>
        <translation>隐藏设置</translation>
    </message>
    <message>
        <source>Show settings</source>
        <translation>显示设置</translation>
    </message>
</context>
<context>
    <name>UndoBar</name>
    <message>
        <source>Deleted “%1”</source>
        <translation>已删除“%1”</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
</context>
</TS>
