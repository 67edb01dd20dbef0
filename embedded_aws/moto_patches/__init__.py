"""Everything that the embedded AWS changes inside moto (5.2.5), each change with its reason.

A change is here because moto lacks the behaviour, is kinder than AWS, or delivers to services that are ours. Each is a
function that takes `replace`, in the module of what it is about; `Patches` makes them in their order and takes them out
again. For each there is a canary in tests/moto_canaries, which fails on the day when moto no longer needs it.
What the changes do lies in the modules that they call; these only tie them in.
"""

from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.patches import Patches

__all__ = ["Hooks", "Patches"]
