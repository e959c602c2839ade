"""The twelve factors, as this service keeps them: a file defines a factor and proves it.

Every check starts the real processes by their command and looks at them from outside. What a
check needs that this service does not have is said to be not applicable, which is no pass.
"""
