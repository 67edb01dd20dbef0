"""What a run leaves behind to be read: report.json, report.html, model card, manifest."""
