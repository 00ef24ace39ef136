"""validate.py SCHEMA: validates the JSON objects of standard input, one a line, with the module jsonschema. It prints how
many there were.
"""

import json
import sys

from jsonschema import Draft202012Validator

schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
count = 0
for line in sys.stdin:
    for error in validator.iter_errors(json.loads(line)):
        sys.exit(f"{error.json_path}: {error.message} in {line}")
    count += 1
print(count)
