"""What people see of objects: figures in the style of journals, descriptions, and text on a terminal."""
