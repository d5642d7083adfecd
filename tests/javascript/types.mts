// Compiled, never run. Each line after @ts-expect-error must be refused, every other line accepted.
import {
    CloudError,
    type CloudObject,
    type FindOptions,
    type Item,
    type ManagementMethods,
    type Methods,
    type Page,
    type Permission,
    type User,
    createCloud,
    createCloudBoost
} from "../../jsonrpc_backend/js/jsonrpc-backend.mjs";

const cloud = createCloud({ url: "https://example.com", backendId: "app", apiKey: "key", timeout: 5000 });

export async function good(): Promise<void> {
    const { user, loginToken } = await cloud.User.register("anna@example.com", "secret", { age: 21, tags: ["a"] });
    const id: string = user._id;
    const token: string | undefined = loginToken;
    const again: string = (await cloud.User.autoLogin()).loginToken;
    const older: number = user.age + user._createdAt;
    await cloud.User.register("anna@example.com", "secret");
    await cloud.User.validate("anna@example.com", null);
    await cloud.User.sendPasswordResetToken("anna", { emailPropertyName: "email", templateName: "welcome" });
    await cloud.User.resetPasswordAndLogin("anna", "new", "AC3D");
    const properties = await cloud.User.getProperties(["age"]);
    const all = await cloud.User.getProperties();
    await cloud.User.saveProperty("nickname", { nested: [1, null, true] });
    const said: "OK" = await cloud.User.saveProperties({ nickname: "Anna" });
    const signedIn: boolean = cloud.User.isAuthenticated();
    const oid: string | null = cloud.User._oid;
    cloud.User.login("anna", "secret")
        .done((result) => console.log(result.user._username))
        .fail((error) => console.log(error.code, error.message, error.data.username))
        .always(() => console.log("over"))
        .then((result) => result.user._id.length)
        .then((length: number) => length);
    const one: { value: any } = await cloud.call("User.getProperty", { name: "age" });
    await cloud.call("User.logout");
    const { openrpc }: { openrpc: string } = await cloud.call("rpc.discover");
    const search: ManagementMethods["User.list"]["params"] = {
        page: 1,
        itemsInPage: 10,
        sortOrder: "desc",
        propertyNames: "age,city"
    };
    const found = (result: ManagementMethods["User.list"]["result"]): User[] => result.items;
    console.log(openrpc, search, found);
    await cloud.call("Note.add", { text: "a method of one's own" });
    const shop = cloud.configure({ backendId: "shop", apiKey: "other" });
    shop.setTimeout(1000);
    shop.timeout = 0;
    const error: CloudError = new CloudError(10001, "Mine");
    throw cloud.Error(error.code, error.message, [id, token, again, older, properties, all, said, signedIn, oid, one]);
}

interface Note {
    title: string;
    done?: boolean;
}

export async function goodCollections(): Promise<void> {
    const notes = cloud.Collection<Note>("notes");
    const note: Item<Note> = await notes.insert({ title: "Milk" }, { public: "r", u1: "rw" });
    note.done = true;
    const times: [Date, Date] = [note._createdAt, note._updatedAt];
    const said: ("OK" | number | Permission)[] = [
        await note.update(),
        await note.remove(),
        await note.delete(),
        (await note.getPermission()).permission,
        (await note.updatePermission({ public: "" }, { forceOverwrite: true })).numUpdates,
        (await notes.updatePermission(null, { public: "r" })).numUpdates
    ];
    const options: FindOptions = { limit: 20, page: 1, propertyNames: ["title"], orderBy: ["title DESC"] };
    const page: Page<Note> = await notes.find("done == ?", "_createdAt DESC", options);
    const titles: string[] = page.items.map((item) => item.title);
    const found: Item<Note> | null = await notes.findOne({ _id: "i1" }, options);
    const mine: number = (await notes.findMine(cloud.Criteria("done == ?", [true]))).totalItems;
    await notes.findOneMine({ done: true }, null, null);
    // Of any properties; of one that hides a method.
    const any = await new cloud.Collection("diary").findOne();
    console.log(any?.mood.length, (await any?.update())?.length, any?._collection.name);
    const hidden = await new cloud.Collection<{ update: number }>("ticks").insert({ update: 1 });
    const tick: number = hidden.update;
    const again = new cloud.CollectionItem(JSON.parse(JSON.stringify(note)) as Note, notes);
    await again.update();
    const properties = await cloud.Device.getProperties(["theme"]);
    const saved: "OK" = await cloud.Device.saveProperty("theme", "dark");
    const sent: "OK" = await cloud.Mailer.sendMail("u1", "welcome", { NAME: "Anna" }, { emailPropertyName: "email" });
    cloud.Push.setHandler((data) => console.log(data.item));
    const device: string | null = cloud.deviceId;
    cloud.deviceId = "tablet";
    console.log(times, said, titles, found, mine, tick, properties, saved, sent, device);
}

export async function goodCloudBoost(): Promise<void> {
    const CB = createCloudBoost();
    CB.CloudApp.init("https://example.com", "app", "key");
    CB.CloudApp.init("https://example.com", "app", "key", { disableRealtime: true });
    const user = new CB.CloudUser();
    user.set("username", "anna");
    user.password = "secret";
    user.signUp({ success: (signedUp) => console.log(signedUp.id), error: (error) => console.log(error.message) });
    const saved = await user.save();
    const made: Date | undefined = saved.createdAt;
    await CB.CloudUser.current?.logOut();
    const query = new CB.CloudQuery("votes").equalTo("colour", "red");
    query.find({ success: (found: object[]) => console.log(found), error: (error: CloudError) => console.log(error) });
    const votes: CloudObject[] = await query.include("company").greaterThan("createdAt", new Date()).setLimit(5).find();
    query.paginate(1, 20, { success: (list, count, pages) => console.log(list[0].id, count + pages) });
    const [vote] = await CB.CloudObject.saveAll(votes);
    vote.ACL.setUserReadAccess("u1", true);
    vote.set("place", new CB.CloudGeoPoint(139.7, 35.7));
    vote.mine = vote.document.colour;
    const again: CloudObject | null = await vote.fetch();
    const either = CB.CloudQuery.or(query, new CB.CloudQuery("votes"));
    vote.save({ error: (error) => console.log(error.response.data.error, again, either, CB.toJSON(vote)) });
    await CB.CloudTable.getAll();
    await CB.CloudUser.resetPassword("anna@example.com");
    console.log(made, CB.CloudUser.current?.email);
}

export function bad(someone: User, methods: Methods): void {
    // @ts-expect-error: a password is missing
    cloud.User.register("anna@example.com");
    // @ts-expect-error: a username is a string
    cloud.User.login(1, "secret");
    // @ts-expect-error: names are an array
    cloud.User.getProperties("age");
    // @ts-expect-error: the value is missing
    cloud.User.saveProperty("nickname");
    // @ts-expect-error: no such option
    cloud.User.sendPasswordResetToken("anna", { email: "x" });
    // @ts-expect-error: it is made by the server
    cloud.User._oid = "u1";
    // @ts-expect-error: no such method
    cloud.User.signUp("anna", "secret");
    // @ts-expect-error: no such method
    cloud.Collection("diary").findAll();
    const notes = cloud.Collection<Note>("notes");
    // @ts-expect-error: the title is missing
    notes.insert({ done: true });
    // @ts-expect-error: no such property
    notes.find({ colour: "red" });
    // @ts-expect-error: no such right
    notes.insert({ title: "" }, { public: "rwx" });
    // @ts-expect-error: how many is a number
    notes.find("", { limit: "20" });
    // @ts-expect-error: there may be none
    notes.findOne().then((item) => item.title);
    // @ts-expect-error: it never changes
    notes.insert({ title: "" }).then((item) => (item._id = "i1"));
    // @ts-expect-error: a handler is a function
    cloud.Push.setHandler("alert");
    // @ts-expect-error: a property has the name of the method
    new cloud.Collection<{ update: number }>("ticks").insert({ update: 1 }).then((item) => item.update());
    // @ts-expect-error: no such class
    new cloud.Item();
    // @ts-expect-error: no such option
    createCloud({ url: "https://example.com", backend: "app" });
    // @ts-expect-error: milliseconds are a number
    cloud.setTimeout("1000");
    // @ts-expect-error: parameters of a documented method
    cloud.call("User.login", { username: "anna" });
    // @ts-expect-error: the name must be given
    cloud.call("User.getProperty");
    // @ts-expect-error: it is a number
    const created: string = someone._createdAt;
    // @ts-expect-error: a result has no such member
    methods["User.login"].result.session;
    // @ts-expect-error: no such order
    const order: ManagementMethods["User.list"]["params"] = { page: 1, itemsInPage: 10, sortOrder: "down" };
    // @ts-expect-error: the user is missing
    const change: ManagementMethods["User.update"]["params"] = { _id: "u1" };
    const CB = createCloudBoost();
    // @ts-expect-error: the API key is missing
    CB.CloudApp.init("https://example.com");
    // @ts-expect-error: it may be null
    CB.CloudUser.current.logOut();
    // @ts-expect-error: the server makes it
    new CB.CloudUser().id = "u1";
    // @ts-expect-error: a table has a name
    new CB.CloudQuery();
    // @ts-expect-error: a place has two numbers
    new CB.CloudGeoPoint(1);
    console.log(created, order, change);
}
