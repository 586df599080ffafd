"""What a user is promised, shown on whole stacks. (A package, so that its stack ends with it.)"""
