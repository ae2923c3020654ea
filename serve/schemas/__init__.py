"""What travels over HTTP: requests, answers and problems as types, and how bodies become applicants."""
