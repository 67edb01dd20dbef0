"""What subscribers receive: the documents (`of_run`), their texts by protocol (`texts/`), and how SNS takes them
(`publication`)."""
