"""What programs do to files in place, in the folder that is named first; the same in a folder of a disk is what it has to come to."""
import os
import random
import subprocess
import sys
import zipfile

os.chdir(sys.argv[1])
dice = random.Random(int(sys.argv[2]))
block = lambda size: dice.randbytes(size)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


# Whole, then in the middle, at the end, and beyond it.
with open("plain", "wb") as file:
    file.write(block(900_000))
for _ in range(5):
    with open("plain", "r+b") as file:
        file.seek(dice.randrange(1_000_000))
        file.write(block(dice.randrange(1, 70_000)))
with open("plain", "ab") as file:
    file.write(b"the end")

# Cut and lengthened, by path and while open.
with open("cut", "wb") as file:
    file.write(block(100_000))
os.truncate("cut", 60_000)
with open("cut", "r+b") as file:
    file.truncate(70_000)
    file.seek(65_000)
    file.write(b"in a hole")
run("truncate", "-s", "50000", "cut")

# Read and written by turns.
with open("turns", "w+b") as file:
    for _ in range(30):
        file.seek(dice.randrange(200_000))
        file.write(block(dice.randrange(1, 9_000)))
        file.seek(dice.randrange(100_000))
        file.read(5_000)

# A header that comes last, and members that are written behind it later.
with zipfile.ZipFile("archive.zip", "w") as archive:
    for name in ("one", "two"):
        archive.writestr(zipfile.ZipInfo(name), block(300_000))
with zipfile.ZipFile("archive.zip", "a") as archive:
    archive.writestr(zipfile.ZipInfo("three"), block(1_000))
assert zipfile.ZipFile("archive.zip").testzip() is None

# Blocks in no order, and a file of holes.
with open("input", "wb") as file:
    file.write(block(16 * 4096))
for at in dice.sample(range(16), 16):
    run("dd", "if=input", "of=blocks", "bs=4096", "count=1", f"skip={at}", f"seek={at}", "conv=notrunc", "status=none")
run("dd", "if=input", "of=holes", "bs=4096", "count=1", "seek=700", "status=none")

# Another file under its name, as editors save, and sed.
with open("text", "w") as file:
    file.write("".join(f"line {number}\n" for number in range(3_000)))
run("sed", "-i", "s/line 1/LINE 1/", "text")
with open("text~", "w") as file:
    file.write("saved anew\n" + open("text").read())
os.replace("text~", "text")
