"""Graders: what turns a model's answer into a reward, behind one interface (`sample.Grader`) and one contract."""
