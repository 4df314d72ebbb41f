"""Answers of a service that speaks OpenAI's chat completions."""

import json

from tests.http.faults import Behaviour, page, says


def completion(content: object, *, ended: str = "stop") -> Behaviour:
    """Answers every question with this."""
    choice = {
        "index": 0,
        "finish_reason": ended,
        "message": {"role": "assistant", "content": content},
    }
    return says(page(json.dumps({"object": "chat.completion", "choices": [choice]}).encode()))
