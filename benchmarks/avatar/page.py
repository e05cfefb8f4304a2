"""placeholder"""

PAGE, RESULTS = "avatar-accuracy.md", "avatar-accuracy.json"


def page(results):
    return ""
