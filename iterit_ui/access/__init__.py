"""Access control: logins, roles, and the checks that a request passes before Gradio handles it."""
