"""A local Bedrock: the service's contract over HTTP, a simulated model behind it that real GRPO trains.

The contract is what AWS has published: the Bedrock user guide, the walkthrough and the notebooks on reinforcement
fine-tuning of open-weight models, and boto3's model of the native API. What these leave open is a switch
(`switches.py`).

Without `--weights` it has none and says so: in the header `x-tunedrop-simulated` of every answer, and as `simulated` in
job and model objects. Run it with `python -m local.bedrock`, or hold one as `LocalBedrock.start(...)`.
"""

from local.bedrock.handle import LocalBedrock, LocalBedrockFailed

__all__ = ["LocalBedrock", "LocalBedrockFailed"]
