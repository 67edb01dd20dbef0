"""The states: one module for each, with the name of its function's folder. `SubmitJob` is `states/submit_job.py`.

The function `run(event, resources)` of each module does the state's work:

- `event` is the state's input, as the state machine, EventBridge, the schedule or the API sends it. Most states need
  only its `run_id`; the docstring of each `run` names all that it reads.
- `resources` has the clients and settings of the function's process, and the time that is left for the call.
- `run` returns a `Decision` (`states/decision.py`): its `output()` is the state's output, and its other fields are for
  the logs and metrics of the handler.
- If the state cannot do its work, `run` raises an exception of `tunedrop/outcomes.py`.

No state imports another one: code that two states share is in a module of the package, by its subject.
"""
