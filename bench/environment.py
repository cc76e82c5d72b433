"""The environment variables of the processes that are measured."""

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "PYTHONDONTWRITEBYTECODE": "1",  # as in Lambda, where the code's folder is read-only
    "TABLE": "bench",
    "ASSENT_STAGE": "bench",
    "ASSENT_TABLE": "bench",
    "ASSENT_STATE_MACHINE_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:bench",
    "ASSENT_TOPIC_ARN_PREFIX": "arn:aws:sns:us-east-1:000000000000:bench-approver-",
    "ASSENT_DEAD_LETTERS_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/bench-dead-letters",
    "ASSENT_PUBLIC_URL": "https://assent.example.com/api",
    "ASSENT_APPROVER_DOMAINS": "example.com",
}
