"""The states: a module for each, named as its function's folder. `SubmitJob` is `states/submit_job.py`.

Each module has a function `run(event, resources)`, whatever its other contents:

- `event` is the state's input, as the state machine, EventBridge, the schedule or the API sends it. Most states need
  only its `run_id`; the docstring of each `run` names all that it reads.
- `resources` are the clients and settings of the function's process, and the time that is left for the call.
- The answer is a `Decision` (`states/decision.py`): its `output()` is the state's output, and its other fields are for
  the logs and metrics of the handler.
- What a state cannot do, it raises as a class of `tunedrop/outcomes.py`.

No state imports another one. What two states share is a module of the package for its subject.
"""
