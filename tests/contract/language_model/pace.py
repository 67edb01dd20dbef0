"""The switches of a local Bedrock that has the tests' tiny model behind it: short answers, small groups, no waits."""

from __future__ import annotations

from tests.contract.local_bedrock.bedrock_requests import FULL_PACE

PACE = {**FULL_PACE, "rollout_max_tokens": 16, "group_size": 4, "checkpoint_every": 4}
