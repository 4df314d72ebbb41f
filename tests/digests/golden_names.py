"""The names of the golden messages."""

import re

DIGEST_FIELD_NAMES = re.findall(
    r"\S+",
    """From To Subject Date Message-ID MIME-Version List-Id List-Unsubscribe List-Unsubscribe-Post
    List-Help List-Owner List-Archive List-Post Archived-At Feedback-ID Auto-Submitted
    X-Auto-Response-Suppress Content-Language Content-Type""",
)
