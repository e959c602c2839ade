"""What developers run on their own machines; none of it is part of the service or its image."""
