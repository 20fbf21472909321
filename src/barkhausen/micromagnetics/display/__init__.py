"""What people see of films, drives and results: figures, descriptions, and the accessor of results."""
