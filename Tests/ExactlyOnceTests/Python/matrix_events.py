import datetime, random, subprocess
# Arguments: folder, servers, topic, partitions, events. Writes the events to the topic with kcat, in
# record batches of 75, and the sound ones to events.csv.
folder, servers, topic, partitions, events = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
random.seed(5)
start = 1767225600000000
files = [open(f'{folder}/p{p}', 'w') for p in range(partitions)]
sound = open(folder + '/events.csv', 'w')
def iso(t):
    return datetime.datetime.fromtimestamp(t / 1e6, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%fZ')
for n in range(events):
    p, position = n % partitions, n // partitions
    time = start + n * 40_000
    time -= random.randrange(30_000_000 if n % 53 == 7 else 900_000)
    auction, bidder, price = random.randrange(40), random.randrange(900), random.randrange(1, 100_000)
    if n % 401 == 17:
        files[p].write('{"auction": 1, "bidder": \n')
        continue
    if n % 607 == 99: price = 0
    files[p].write(f'{{"auction":{auction},"bidder":{bidder},"price":{price},"date_time":"{iso(time)}"}}\n')
    if price > 0: sound.write(f'{p},{position},{auction},{bidder},{price},{time}\n')
sound.close()
for p, file in enumerate(files):
    file.close()
    subprocess.run(['kcat', '-P', '-b', servers, '-t', topic, '-p', str(p), '-X', 'enable.idempotence=true',
                    '-X', 'batch.num.messages=75', '-X', 'linger.ms=50', '-l', file.name], check=True)
