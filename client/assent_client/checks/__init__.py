"""What `assent doctor` looks at: each check yields findings, with what to do where one is wrong."""
