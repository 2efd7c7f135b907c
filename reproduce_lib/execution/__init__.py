"""Units due, planned and run in processes of their own; records told fresh, verified and adopted."""
