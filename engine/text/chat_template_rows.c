/* Chat templates as data. Each row is written from what the family publishes
 * (tokenizer_config.json's chat_template) and checked against that template
 * rendered by Jinja2: tests/fixtures/chat says which and how. */
#include "engine/text/chat_template_rows.h"

#define CHATML_TURNS                                                                                                   \
  {"<|im_start|>system\n", "<|im_end|>\n"}, {"<|im_start|>user\n", "<|im_end|>\n"}, {                                  \
    "<|im_start|>assistant\n", "<|im_end|>\n"                                                                          \
  }
#define CHATML_SYSTEM(text) "<|im_start|>system\n" text "<|im_end|>\n"
#define CHATML_PROMPT "<|im_start|>assistant\n"
#define CHATML_STOPS "<|im_end|>", "<|endoftext|>"

#define LLAMA3_HEAD(role) "<|start_header_id|>" role "<|end_header_id|>\n\n"
#define LLAMA3_STOPS "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"
/* Without a clock the template falls back to this date; a prompt that changes by the day is no measure. */
#define LLAMA31_DATES "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"

#define PHI3_TURNS                                                                                                     \
  {"<|system|>\n", "<|end|>\n"}, {"<|user|>\n", "<|end|>\n"}, {                                                        \
    "<|assistant|>\n", "<|end|>\n"                                                                                     \
  }

/* Full-width bars and U+2581, as DeepSeek writes its marks. */
#define DS(text) "<\xef\xbd\x9c" text "\xef\xbd\x9c>"
#define DS_END DS("end\xe2\x96\x81of\xe2\x96\x81sentence")

const tern_chat_template tern_chat_templates[] = {
    {.name = "chatml",
     .has = {"'<|im_start|>' + message['role']", "<|im_end|>"},
     .lacks = {"<|im_start|>system", "<think>", "<tool_call>", "<|im_sep|>", "messages[1:]"},
     .turns = {CHATML_TURNS},
     .prompt = CHATML_PROMPT,
     .stops = {CHATML_STOPS}},
    {.name = "qwen2",
     .has = {"<|im_start|>system", "You are a helpful assistant.<|im_end|>"},
     .lacks = {"created by Alibaba Cloud", "<think>"},
     .turns = {CHATML_TURNS},
     .opening = CHATML_SYSTEM("You are a helpful assistant."),
     .prompt = CHATML_PROMPT,
     .stops = {CHATML_STOPS}},
    {.name = "qwen2.5",
     .has = {"<|im_start|>system", "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>"},
     .lacks = {"<think>"},
     .turns = {CHATML_TURNS},
     .opening = CHATML_SYSTEM("You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
     .prompt = CHATML_PROMPT,
     .stops = {CHATML_STOPS}},
    {.name = "smollm2",
     .has = {"<|im_start|>system", "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>"},
     .turns = {CHATML_TURNS},
     .opening = CHATML_SYSTEM("You are a helpful AI assistant named SmolLM, trained by Hugging Face"),
     .prompt = CHATML_PROMPT,
     .stops = {CHATML_STOPS}},
    {.name = "qwen3",
     .has = {"<|im_start|>", "loop.last or (not loop.last and reasoning_content)", "enable_thinking is false",
             "'<think>\\n\\n</think>\\n\\n'"},
     .lacks = {"content | trim", "content|trim", "<function ", "preserve_thinking"},
     .turns = {CHATML_TURNS},
     .prompt = CHATML_PROMPT,
     .rules = TERN_CHAT_QWEN3,
     .stops = {CHATML_STOPS}},
    {.name = "qwen3-instruct", /* of July 2025: does not think */
     .has = {"'<|im_start|>' + message.role + '\\n' + content + '<|im_end|>'", "messages[0].role == 'system'",
             "message.role == \"system\" and not loop.first"},
     .lacks = {"think>", "reasoning_content", "You are", "content | trim", "<function "},
     .turns = {CHATML_TURNS},
     .prompt = CHATML_PROMPT,
     .stops = {CHATML_STOPS}},
    {.name = "qwen3-no-think", /* enable_thinking = false: only by name */
     .has = {NULL},
     .turns = {CHATML_TURNS},
     .prompt = CHATML_PROMPT "<think>\n\n</think>\n\n",
     .rules = TERN_CHAT_QWEN3,
     .stops = {CHATML_STOPS}},
    {.name = "llama2",
     .has = {"<<SYS>>", "bos_token + '[INST] ' + content", "' ' "},
     .lacks = {"SYSTEM_PROMPT", "AVAILABLE_TOOLS"},
     .turns = {{NULL, NULL}, {"<s>[INST] ", " [/INST]"}, {" ", " </s>"}},
     .fold = {"<<SYS>>\n", "\n<</SYS>>\n\n"},
     .prompt = "",
     .bos = "<s>",
     .eos = "</s>",
     .rules = TERN_CHAT_TRIM | TERN_CHAT_ALTERNATE | TERN_CHAT_FOLD | TERN_CHAT_TRIM_FOLDED,
     .stops = {"</s>"}},
    {.name = "llama3",
     .has = {"'<|start_header_id|>' + message['role'] + '<|end_header_id|>", "| trim + '<|eot_id|>'"},
     .lacks = {"Cutting Knowledge Date", "tools", "messages[1:]"},
     .turns = {{LLAMA3_HEAD("system"), "<|eot_id|>"},
               {LLAMA3_HEAD("user"), "<|eot_id|>"},
               {LLAMA3_HEAD("assistant"), "<|eot_id|>"}},
     .prompt = LLAMA3_HEAD("assistant"),
     .rules = TERN_CHAT_TRIM,
     .stops = {LLAMA3_STOPS}},
    {.name = "llama3.1", /* 3.2 and 3.3 too */
     .has = {"<|start_header_id|>system<|end_header_id|>", "Cutting Knowledge Date: December 2023", "date_string",
             "<|eot_id|>"},
     .turns = {{LLAMA3_HEAD("system") LLAMA31_DATES, "<|eot_id|>"},
               {LLAMA3_HEAD("user"), "<|eot_id|>"},
               {LLAMA3_HEAD("assistant"), "<|eot_id|>"}},
     .opening = LLAMA3_HEAD("system") LLAMA31_DATES "<|eot_id|>",
     .prompt = LLAMA3_HEAD("assistant"),
     .rules = TERN_CHAT_TRIM,
     .stops = {LLAMA3_STOPS}},
    {.name = "bitnet", /* BitNet b1.58 2B4T */
     .has = {"message['role'] | capitalize + ': '", "| trim + '<|eot_id|>'", "'Assistant: '"},
     .lacks = {"System: "},
     .alone = "BITNETAssistant: ", /* what the converter left in the published GGUF; bitnet.cpp reads it alike */
     .turns = {{"System: ", "<|eot_id|>"}, {"User: ", "<|eot_id|>"}, {"Assistant: ", "<|eot_id|>"}},
     .prompt = "Assistant: ",
     .rules = TERN_CHAT_TRIM,
     .stops = {LLAMA3_STOPS}},
    {.name = "gemma", /* 1 and 2 */
     .has = {"<start_of_turn>", "System role not supported", "<end_of_turn>"},
     .turns = {{NULL, NULL},
               {"<start_of_turn>user\n", "<end_of_turn>\n"},
               {"<start_of_turn>model\n", "<end_of_turn>\n"}},
     .prompt = "<start_of_turn>model\n",
     .rules = TERN_CHAT_TRIM | TERN_CHAT_ALTERNATE,
     .stops = {"<end_of_turn>", "<eos>"}},
    {.name = "gemma3",
     .has = {"<start_of_turn>", "first_user_prefix", "<end_of_turn>"},
     .lacks = {"tools"},
     .turns = {{NULL, NULL},
               {"<start_of_turn>user\n", "<end_of_turn>\n"},
               {"<start_of_turn>model\n", "<end_of_turn>\n"}},
     .fold = {"", "\n\n"},
     .prompt = "<start_of_turn>model\n",
     .rules = TERN_CHAT_TRIM | TERN_CHAT_ALTERNATE | TERN_CHAT_FOLD,
     .stops = {"<end_of_turn>", "<eos>"}},
    {.name = "minicpm",
     .has = {"<\xe7\x94\xa8\xe6\x88\xb7>", "<AI>"},
     .turns = {{"", ""}, {"<\xe7\x94\xa8\xe6\x88\xb7>", "<AI>"}, {"", ""}},
     .prompt = "",
     .rules = TERN_CHAT_TRIM,
     .stops = {"</s>"}},
    {.name = "falcon3",
     .has = {"<|system|>", "<|user|>", "<|assistant|>", "not loop.last", "eos_token + '"},
     .lacks = {"<|end|>"},
     .turns = {{"<|system|>\n", "\n"}, {"<|user|>\n", "\n"}, {"<|assistant|>\n", "<|endoftext|>\n"}},
     .last_answer_after = "<|endoftext|>",
     .eos = "<|endoftext|>",
     .prompt = "<|assistant|>\n",
     .stops = {"<|endoftext|>", "<|user|>"}},
    {.name = "zephyr", /* TinyLlama too */
     .has = {"<|user|>", "<|system|>", "+ eos_token }}", "loop.last and add_generation_prompt"},
     .lacks = {"<|end|>", "not loop.last"},
     .turns = {{"<|system|>\n", "</s>\n"}, {"<|user|>\n", "</s>\n"}, {"<|assistant|>\n", "</s>\n"}},
     .prompt = "<|assistant|>\n",
     .eos = "</s>",
     .stops = {"</s>", "<|user|>"}},
    {.name = "phi3",
     .has = {"<|user|>", "<|assistant|>", "'system' %}{{'<|system|>", "<|end|>", "{{ eos_token }}"},
     .turns = {PHI3_TURNS},
     .prompt = "<|assistant|>\n",
     .no_prompt = "<|endoftext|>",
     .stops = {"<|end|>", "<|endoftext|>"}},
    {.name = "phi3.5",
     .has = {"<|user|>", "<|assistant|>", "<|end|>", "message['role'] == 'system' and message['content']",
             "{{ eos_token }}"},
     .turns = {PHI3_TURNS},
     .prompt = "<|assistant|>\n",
     .no_prompt = "<|endoftext|>",
     .rules = TERN_CHAT_SKIP_EMPTY,
     .stops = {"<|end|>", "<|endoftext|>"}},
    {.name = "deepseek-coder",
     .has = {"### Instruction:", "### Response:", "<|EOT|>", "utilizing the Deepseek Coder model"},
     .turns = {{"", ""}, {"### Instruction:\n", "\n"}, {"### Response:\n", "\n<|EOT|>\n"}},
     .opening = "You are an AI programming assistant, utilizing the Deepseek Coder model, developed by Deepseek "
                "Company, and you only answer questions related to computer science. For politically sensitive "
                "questions, security and privacy issues, and other non-computer science questions, you will refuse to "
                "answer\n",
     .prompt = "### Response:\n",
     .stops = {"<|EOT|>"}},
    {.name = "deepseek-llm", /* chat models up to V2 */
     .has = {"'User: ' + message['content']", "'Assistant: ' + message['content'] + eos_token", "'Assistant:'"},
     .turns = {{"", "\n\n"}, {"User: ", "\n\n"}, {"Assistant: ", DS_END}},
     .prompt = "Assistant:",
     .eos = DS_END,
     .stops = {DS_END}},
    {.name = "deepseek-r1", /* and its distilled models */
     .has = {DS("User"), DS("Assistant") "<think>\\n", "split('</think>')[-1]", "ns.is_first"},
     .lacks = {"enable_thinking", DS_END "' -}}"},
     .turns = {{"", ""}, {DS("User"), ""}, {DS("Assistant"), DS_END}},
     .prompt = DS("Assistant") "<think>\n",
     .eos = DS_END,
     .rules = TERN_CHAT_ANSWER_ONLY,
     .stops = {DS_END}},
};

const int tern_chat_template_count = sizeof tern_chat_templates / sizeof *tern_chat_templates;
