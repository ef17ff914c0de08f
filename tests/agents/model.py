#!/usr/bin/env python3
"""A model that always does the same: it calls one tool once, then says that it is done.

    model.py PORT_FILE COMMAND

Listens on loopback, writes its port to PORT_FILE, and speaks what agents speak: Anthropic Messages, OpenAI Responses and
Chat Completions, Gemini. COMMAND is the shell command that it asks for. It answers a request that carries a tool's
result, or that offers no shell, with words.
"""
import json
import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMAND = sys.argv[2]
WORDS = "The greeting is written."
SHELLS = ("Bash", "bash", "exec_command", "shell", "shell_command", "local_shell", "run_shell_command", "terminal",
          "execute_bash")


def shell(tools):
    """Chooses the shell among the tools on offer; returns its name and what it wants to be given."""
    for tool in tools or []:
        declared = tool.get("functionDeclarations") or [tool.get("function") or tool]
        for one in declared:
            if one.get("name") in SHELLS or one.get("type") == "local_shell":
                return one.get("name"), arguments(one)
    return None


def arguments(tool):
    schema = tool.get("input_schema") or tool.get("parameters") or tool.get("parametersJsonSchema") or {}
    properties = schema.get("properties") or {}
    given = {}
    for name in ("command", "cmd"):
        if name in properties:
            listed = (properties[name].get("type") or "").lower() == "array"
            given[name] = ["sh", "-c", COMMAND] if listed else COMMAND
    for name in schema.get("required") or []:
        if name not in given:
            kind = (properties.get(name, {}).get("type") or "string")
            kind = kind if isinstance(kind, str) else kind[0]
            choice = properties.get(name, {}).get("enum")
            given[name] = choice[0] if choice else {"boolean": False, "number": 1, "integer": 1, "array": []}.get(
                kind.lower(), "write a greeting")
    return given or {"command": COMMAND}


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if "/models" in self.path:
            names = ["claude-sonnet-4-5", "gpt-5.5", "gemini-2.5-pro"]
            return self.answer({"object": "list", "data": [
                {"id": n, "object": "model", "type": "model", "display_name": n, "created": 1, "owned_by": "x",
                 "created_at": "2026-01-01T00:00:00Z"} for n in names], "has_more": False,
                "models": []})
        return self.answer({})

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        if self.headers.get("transfer-encoding") == "chunked":
            raw = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                raw += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        try:
            body = json.loads(raw)
        except ValueError:
            return self.answer({})
        if log := os.environ.get("MODEL_LOG"):
            with open(log, "a") as file:
                file.write(self.path + " " + raw.decode("utf-8", "replace") + "\n")
        path = self.path.split("?")[0]
        if path.endswith("count_tokens") or path.endswith("countTokens"):
            return self.answer({"input_tokens": 10, "totalTokens": 10})
        if path.endswith("/messages"):
            return self.messages(body)
        if path.endswith("/responses"):
            return self.openai_responses(body)
        if path.endswith("/chat/completions"):
            return self.completions(body)
        if re.search(r":(stream)?[gG]enerateContent$", path):
            return self.gemini(body, "stream" in path)
        return self.answer({})

    def answer(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, events, named=False, end=None):
        lines = []
        for event in events:
            if named:
                lines.append(f"event: {event['type']}\n")
            lines.append(f"data: {json.dumps(event)}\n\n")
        if end:
            lines.append(f"data: {end}\n\n")
        data = "".join(lines).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    # Anthropic Messages.
    def messages(self, body):
        last = body["messages"][-1] if body.get("messages") else {}
        parts = last.get("content") if isinstance(last.get("content"), list) else []
        answered = any(p.get("type") == "tool_result" for p in parts)
        tool = None if answered else shell(body.get("tools"))
        usage = {"input_tokens": 11, "output_tokens": 7, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2}
        number = len(body.get("messages", []))
        content = ({"type": "tool_use", "id": f"toolu_{number:04}", "name": tool[0], "input": tool[1]} if tool
                   else {"type": "text", "text": WORDS})
        reason = "tool_use" if tool else "end_turn"
        message = {"id": f"msg_{number:04}", "type": "message", "role": "assistant", "model": body.get("model"),
                   "content": [content], "stop_reason": reason, "stop_sequence": None, "usage": usage}
        if not body.get("stream"):
            return self.answer(message)
        empty = dict(content, **({"input": {}} if tool else {"text": ""}))
        delta = ({"type": "input_json_delta", "partial_json": json.dumps(tool[1])} if tool
                 else {"type": "text_delta", "text": WORDS})
        return self.stream([
            {"type": "message_start", "message": dict(message, content=[], stop_reason=None,
                                                      usage=dict(usage, output_tokens=1))},
            {"type": "content_block_start", "index": 0, "content_block": empty},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage},
            {"type": "message_stop"},
        ], named=True)

    # OpenAI Responses.
    def openai_responses(self, body):
        items = body.get("input") if isinstance(body.get("input"), list) else []
        answered = any(str(i.get("type", "")).endswith("_output") for i in items)
        tool = None if answered else shell(body.get("tools"))
        number = len(items)
        if tool:
            item = {"type": "function_call", "id": f"fc_{number:04}", "call_id": f"call_{number:04}", "name": tool[0],
                    "arguments": json.dumps(tool[1]), "status": "completed"}
        else:
            item = {"type": "message", "id": f"msg_{number:04}", "role": "assistant", "status": "completed",
                    "content": [{"type": "output_text", "text": WORDS, "annotations": []}]}
        response = {"id": f"resp_{number:04}", "object": "response", "created_at": 1, "status": "completed",
                    "model": body.get("model"), "output": [item],
                    "usage": {"input_tokens": 11, "input_tokens_details": {"cached_tokens": 3}, "output_tokens": 7,
                              "output_tokens_details": {"reasoning_tokens": 1}, "total_tokens": 18}}
        if not body.get("stream"):
            return self.answer(response)
        events = [{"type": "response.created", "response": dict(response, status="in_progress", output=[])},
                  {"type": "response.output_item.added", "output_index": 0, "item": dict(item, status="in_progress")}]
        if tool:
            events.append({"type": "response.function_call_arguments.done", "item_id": item["id"], "output_index": 0,
                           "arguments": item["arguments"]})
        else:
            events.append({"type": "response.output_text.delta", "item_id": item["id"], "output_index": 0,
                           "content_index": 0, "delta": WORDS})
        events += [{"type": "response.output_item.done", "output_index": 0, "item": item},
                   {"type": "response.completed", "response": response}]
        for number, event in enumerate(events):
            event["sequence_number"] = number
        return self.stream(events, named=True)

    # OpenAI Chat Completions.
    def completions(self, body):
        last = body["messages"][-1] if body.get("messages") else {}
        answered = any(m.get("role") == "tool" for m in body.get("messages", []))
        tool = None if answered or last.get("role") == "tool" else shell(body.get("tools"))
        number = len(body.get("messages", []))
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18,
                 "prompt_tokens_details": {"cached_tokens": 3}}
        message = {"role": "assistant", "content": None if tool else self.plain(body, answered)}
        if tool:
            message["tool_calls"] = [{"index": 0, "id": f"call_{number:04}", "type": "function",
                                      "function": {"name": tool[0], "arguments": json.dumps(tool[1])}}]
        reason = "tool_calls" if tool else "stop"
        head = {"id": f"chatcmpl-{number:04}", "created": 1, "model": body.get("model")}
        if not body.get("stream"):
            return self.answer(dict(head, object="chat.completion", usage=usage, choices=[
                {"index": 0, "message": message, "finish_reason": reason}]))
        return self.stream([
            dict(head, object="chat.completion.chunk", choices=[
                {"index": 0, "delta": message, "finish_reason": None}]),
            dict(head, object="chat.completion.chunk", usage=usage, choices=[
                {"index": 0, "delta": {}, "finish_reason": reason}]),
        ], end="[DONE]")

    def plain(self, body, answered):
        """What is said where no shell is on offer as a tool: mini-swe-agent takes commands out of the words."""
        asked = json.dumps(body.get("messages", []))
        if not body.get("tools") and "mswea_bash_command" in asked:
            done = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
            again = sum(m.get("role") == "assistant" for m in body["messages"])
            return f"THOUGHT: write it\n\n```mswea_bash_command\n{done if again else COMMAND}\n```"
        return WORDS

    # Gemini.
    def gemini(self, body, streamed):
        contents = body.get("contents") or []
        answered = any("functionResponse" in part for c in contents for part in c.get("parts", []))
        tool = None if answered else shell(body.get("tools"))
        asked = (body.get("generationConfig") or {}).get("responseMimeType") == "application/json"
        words = json.dumps({"reasoning": "done", "next_speaker": "user", "model_choice": "pro",
                            "complexity_reasoning": "x", "complexity_score": 1}) if asked else WORDS
        part = {"functionCall": {"name": tool[0], "args": tool[1]}} if tool else {"text": words}
        value = {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
                 "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18,
                                   "cachedContentTokenCount": 3},
                 "modelVersion": "gemini-2.5-pro", "responseId": f"r{len(contents)}"}
        return self.stream([value]) if streamed else self.answer(value)


server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
server.daemon_threads = True
with open(sys.argv[1] + ".new", "w") as port:
    port.write(str(server.server_address[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
