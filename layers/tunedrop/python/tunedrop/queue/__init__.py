"""The queue before SubmitJob: who waits for a training job, who may have one, and who is next."""
